/** Program: sends datagrams to itself over the agent's sockets and prints what arrived, as JSON. */

import { createHash } from "node:crypto";
import { sameSocketAddress } from "../../../agent/src/core/address.ts";
import type { Datagram } from "../../../agent/src/core/machine.ts";
import type { RefusedDatagram } from "../../../agent/src/core/refusal.ts";
import { createSendQueue, type SendQueue } from "../../../agent/src/io/fast-path/datagrams/send-queue.ts";
import { libc } from "../../../agent/src/io/native/native.ts";
import { addressFamily } from "../../../agent/src/io/native/socket-address.ts";
import { openUdpSocket } from "../../../agent/src/io/sockets/udp-socket.ts";

const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_NO_CHECK = 11;

/** A queue on a socket for which the kernel splits nothing, because UDP checksums are turned off. */
function queueWithoutSegments(): SendQueue {
  const { socket, setsockopt } = libc();
  const fd = socket(addressFamily(4), SOCK_DGRAM, 0);
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  if (setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, on, on.length) !== 0) throw new Error("SO_NO_CHECK was refused");
  return createSendQueue(fd);
}

/** Payloads distinguished by their octets. */
const payloadsOf = (lengths: readonly number[]): readonly Uint8Array[] =>
  lengths.map((length, i) => Uint8Array.from({ length }, (_, at) => (i * 31 + at) & 0xff));

const digest = (payloads: readonly Uint8Array[]): readonly string[] =>
  payloads.map((payload) => `${payload.length} ${createHash("sha256").update(payload).digest("hex").slice(0, 8)}`);

/** Sends datagrams all at once, so that they wait in the kernel, and returns all that arrived. */
async function exchange(ip: string, lengths: readonly number[], queueOf?: () => SendQueue) {
  const received: Datagram[] = [];
  const batches: number[] = [];
  let finish: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => (finish = resolve));
  const target = openUdpSocket({ ip, port: 0 }, (datagrams) => {
    batches.push(datagrams.length);
    received.push(...datagrams);
    if (received.length >= lengths.length) finish();
  });
  const sender = openUdpSocket({ ip, port: 0 }, () => undefined);
  const queue = queueOf?.();
  const payloads = payloadsOf(lengths);
  for (const payload of payloads) {
    if (queue === undefined) sender.queue(payload, target.local);
    else queue.push(payload, target.local);
  }
  (queue ?? sender).flush();
  await complete;
  const counters = queue?.counters ?? sender.counters();
  sender.close();
  target.close();
  return {
    sent: digest(payloads),
    received: digest(received.map(({ payload }) => payload)),
    batches,
    isFromSender: received.every(({ remote }) => remote.ip === ip && remote.port === sender.local.port),
    counters: { sent: counters["udp.sent"], refused: counters["udp.refused"] },
  };
}

/** How long to wait for missing datagrams: the test then reports which are missing. */
const TIMEOUT_MS = 30_000;

/** Sends alternately to a socket and to a closed port, receives the refusals of the latter, and finally a datagram. */
async function beRefused(ip: string) {
  const received: Datagram[] = [];
  const refusals: RefusedDatagram[] = [];
  const heard: Datagram[] = [];
  let look: () => void = () => undefined;
  let isOver = false;
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds() && !isOver) await new Promise<void>((resolve) => (look = resolve));
  };
  const timers = setTimeout(() => {
    isOver = true;
    look();
  }, TIMEOUT_MS);
  const target = openUdpSocket({ ip, port: 0 }, (datagrams) => {
    received.push(...datagrams);
    look();
  });
  const nobody = openUdpSocket({ ip, port: 0 }, () => undefined);
  nobody.close();
  const sender = openUdpSocket(
    { ip, port: 0 },
    (datagrams) => {
      heard.push(...datagrams);
      look();
    },
    (batch) => {
      refusals.push(...batch);
      look();
    },
  );
  const payloads = payloadsOf(Array<number>(100).fill(20));
  for (const payload of payloads) {
    sender.send(payload, nobody.local);
    sender.send(payload, target.local);
  }
  await until(() => received.length >= payloads.length && refusals.length >= payloads.length);
  const counters = sender.counters();
  target.send(Uint8Array.of(1), sender.local);
  await until(() => heard.length > 0);
  clearTimeout(timers);
  target.close();
  sender.close();
  return {
    sent: digest(payloads),
    received: digest(received.map(({ payload }) => payload)),
    heard: heard.length,
    refusals: refusals.length,
    told: [...new Set(refusals.map(({ by, reason }) => `${by}: ${reason}`))],
    isOfRefused: refusals.every(
      ({ local, remote }) => sameSocketAddress(local, sender.local) && sameSocketAddress(remote, nobody.local),
    ),
    counters,
  };
}

/** Runs of one length, a shorter one in between, an empty one, and the longest possible. */
const MIXED = [...Array<number>(150).fill(1200), 700, ...Array<number>(9).fill(1200), 0, 1, 65_507, 1300, 1300];

const results = {
  ipv4: await exchange("127.0.0.1", MIXED),
  ipv6: await exchange("::1", MIXED),
  refused: { ipv4: await beRefused("127.0.0.1"), ipv6: await beRefused("::1") },
  withoutSegments: await exchange("127.0.0.1", MIXED, queueWithoutSegments),
};
process.stdout.write(JSON.stringify(results), () => process.exit(0));
