/** Receives many datagrams at a time: `recvmmsg` into memory that all sockets of the process share. */

import type { SocketAddress } from "../../../core/address.ts";
import type { Datagram } from "../../../core/machine.ts";
import { libc } from "../../native/native.ts";
import { decodeSocketAddress, SOCKADDR_BYTES } from "../../native/socket-address.ts";

/** Datagrams received in one call. */
export const SLOTS = 64;

/** More than the longest UDP payload; with short payloads only the first page is ever touched. */
const SLOT_BYTES = 65536;

/** `struct mmsghdr`, 64-bit, and the offsets of its fields: name and length, vectors and count, octets received. */
const HEADER_BYTES = 64;
const NAME_AT = 0;
const NAME_LENGTH_AT = 8;
const VECTORS_AT = 16;
const VECTOR_COUNT_AT = 24;
const RECEIVED_AT = 56;

const VECTOR_BYTES = 16;

interface ReceiveRing {
  /** Receives waiting datagrams, at most `SLOTS`. Their payloads are copies. */
  take(fd: number, local: SocketAddress): readonly Datagram[];
}

let ring: ReceiveRing | undefined;

/** The ring of this process, created on first use. */
export function receiveRing(): ReceiveRing {
  return (ring ??= createReceiveRing());
}

function createReceiveRing(): ReceiveRing {
  const { recvmmsg } = libc();
  const names = Buffer.alloc(SLOTS * SOCKADDR_BYTES);
  const payloads = Buffer.allocUnsafeSlow(SLOTS * SLOT_BYTES);
  const vectors = vectorsOf(payloads);
  const headers = headersOf(names, vectors);
  const memory = { names, vectors, payloads };
  const remoteOf = createAddressMemory(names);
  return {
    take(fd, local) {
      const count = recvmmsg(fd, headers, SLOTS, 0, null);
      if (count <= 0) return [];
      const datagrams: Datagram[] = [];
      const kept = keepPayloads(headers, memory.payloads, count);
      for (let i = 0; i < count; i += 1) {
        datagrams.push({ local, remote: remoteOf(i), payload: kept[i] ?? new Uint8Array(0) });
        headers.writeUInt32LE(SOCKADDR_BYTES, i * HEADER_BYTES + NAME_LENGTH_AT);
      }
      return datagrams;
    },
  };
}

/** Copies payloads into one buffer, which is kept while any of them is in use. */
function keepPayloads(headers: Buffer, payloads: Buffer, count: number): readonly Uint8Array[] {
  const lengths = Array.from({ length: count }, (_, i) => headers.readUInt32LE(i * HEADER_BYTES + RECEIVED_AT));
  const memory = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  return lengths.map((length, i) => {
    const payload = memory.subarray(at, at + length);
    payload.set(payloads.subarray(i * SLOT_BYTES, i * SLOT_BYTES + length));
    at += length;
    return payload;
  });
}

/** Decodes the address of a slot unless it equals the previous one: consecutive datagrams often have one sender. */
function createAddressMemory(names: Buffer): (slot: number) => SocketAddress {
  let last = Buffer.alloc(0);
  let address: SocketAddress = { ip: "0.0.0.0", port: 0 };
  return (slot) => {
    const name = names.subarray(slot * SOCKADDR_BYTES, (slot + 1) * SOCKADDR_BYTES);
    if (!name.equals(last)) {
      last = Buffer.from(name);
      address = decodeSocketAddress(name);
    }
    return address;
  };
}

function vectorsOf(payloads: Buffer): Buffer {
  const { addressOf } = libc();
  const vectors = Buffer.alloc(SLOTS * VECTOR_BYTES);
  const base = addressOf(payloads);
  for (let i = 0; i < SLOTS; i += 1) {
    vectors.writeBigUInt64LE(base + BigInt(i * SLOT_BYTES), i * VECTOR_BYTES);
    vectors.writeBigUInt64LE(BigInt(SLOT_BYTES), i * VECTOR_BYTES + 8);
  }
  return vectors;
}

function headersOf(names: Buffer, vectors: Buffer): Buffer {
  const { addressOf } = libc();
  const headers = Buffer.alloc(SLOTS * HEADER_BYTES);
  for (let i = 0; i < SLOTS; i += 1) {
    const at = i * HEADER_BYTES;
    headers.writeBigUInt64LE(addressOf(names) + BigInt(i * SOCKADDR_BYTES), at + NAME_AT);
    headers.writeUInt32LE(SOCKADDR_BYTES, at + NAME_LENGTH_AT);
    headers.writeBigUInt64LE(addressOf(vectors) + BigInt(i * VECTOR_BYTES), at + VECTORS_AT);
    headers.writeBigUInt64LE(1n, at + VECTOR_COUNT_AT);
  }
  return headers;
}
