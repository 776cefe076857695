/** Encodes and decodes values of STUN attributes: one codec per attribute in one table. */

import { addressFromBytes, addressToBytes, type SocketAddress } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import {
  ATTRIBUTE_NUMBERS,
  attributeNumber,
  type ChangeRequest,
  type KnownAttribute,
  type StunAttribute,
  type StunAttributeType,
  type StunAttributeValues,
  type StunError,
} from "./attributes.ts";
import { MAGIC_COOKIE } from "./header.ts";
import { INTEGRITY_LENGTH } from "./integrity.ts";
import { type RawAttribute, writeTlv } from "./tlv.ts";

/** Appends one attribute. Throws RangeError when its value does not fit. */
export function writeAttribute(writer: ByteWriter, attribute: StunAttribute, transactionId: Uint8Array): void {
  const value = attribute.type === "unknown" ? attribute.value : encodeValue(attribute, transactionId);
  writeTlv(writer, attributeNumber(attribute), value);
}

/** Decodes one attribute. Error: `bad-` and the attribute's type, such as `bad-priority`. */
export function decodeAttribute(raw: RawAttribute, transactionId: Uint8Array): Decoded<StunAttribute> {
  const type = TYPES_BY_NUMBER.get(raw.number);
  if (type === undefined) return decoded({ type: "unknown", number: raw.number, value: raw.value });
  const attribute = decodeValue(type, raw.value, transactionId);
  return attribute === undefined ? malformed(`bad-${type}`, raw.offset) : decoded(attribute);
}

/** Codec of one kind of value. Only the XOR-ed addresses need the transaction ID. */
interface ValueCodec<V> {
  write(writer: ByteWriter, value: V, transactionId: Uint8Array): void;
  /** Reads the whole value. Undefined refuses it; so do an overrun and octets left over. */
  read(reader: ByteReader, transactionId: Uint8Array): V | undefined;
}

const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [FAMILY_IPV4, 4],
  [FAMILY_IPV6, 16],
]);

const address: ValueCodec<SocketAddress> = {
  write: (writer, value) => writeAddress(writer, value, NO_MASK),
  read: (reader) => readAddress(reader, NO_MASK),
};

const xorAddress: ValueCodec<SocketAddress> = {
  write: (writer, value, transactionId) => writeAddress(writer, value, addressMask(transactionId)),
  read: (reader, transactionId) => readAddress(reader, addressMask(transactionId)),
};

const u32: ValueCodec<number> = {
  write: (writer, value) => writer.u32(value),
  read: (reader) => reader.u32(),
};

const u64: ValueCodec<bigint> = {
  write: (writer, value) => writer.u64(value),
  read: (reader) => reader.u64(),
};

const flag: ValueCodec<true> = {
  write: () => undefined,
  read: () => true,
};

const integrity: ValueCodec<Uint8Array> = {
  write: (writer, value) => {
    if (value.length !== INTEGRITY_LENGTH) throw new RangeError(`MESSAGE-INTEGRITY has 20 octets, not ${value.length}`);
    writer.bytes(value);
  },
  read: (reader) => reader.bytes(INTEGRITY_LENGTH),
};

/** 21 zero bits, class (hundreds) 3 bits, number 8 bits, reason phrase (RFC 8489 section 14.8). */
const errorCode: ValueCodec<StunError> = {
  write: (writer, { code, reason }) => {
    if (code < 300 || code > 699) throw new RangeError(`a STUN error code is 300..699, not ${code}`);
    writer
      .u16(0)
      .u8(Math.floor(code / 100))
      .u8(code % 100);
    diagnosticText.write(writer, reason, NO_MASK);
  },
  read: (reader) => {
    reader.skip(2);
    const hundreds = reader.u8() & 0x07;
    const number = reader.u8();
    const reason = diagnosticText.read(reader, NO_MASK);
    if (hundreds < 3 || hundreds > 6 || number > 99 || reason === undefined) return undefined;
    return { code: hundreds * 100 + number, reason };
  },
};

const unknownAttributes: ValueCodec<readonly number[]> = {
  write: (writer, numbers) => {
    for (const number of numbers) writer.u16(number);
  },
  read: (reader) => {
    const numbers: number[] = [];
    while (reader.remaining > 0) numbers.push(reader.u16());
    return numbers;
  },
};

const CHANGE_IP = 0x04;
const CHANGE_PORT = 0x02;

const changeRequest: ValueCodec<ChangeRequest> = {
  write: (writer, { changeIp, changePort }) => writer.u32((changeIp ? CHANGE_IP : 0) | (changePort ? CHANGE_PORT : 0)),
  read: (reader) => {
    const flags = reader.u32();
    return { changeIp: (flags & CHANGE_IP) !== 0, changePort: (flags & CHANGE_PORT) !== 0 };
  },
};

const padding: ValueCodec<number> = {
  write: (writer, octets) => writer.zeros(octets),
  read: (reader) => reader.rest().length,
};

/** 16 bits and two octets of padding that belong to the value (RFC 5780 section 7.5); also accepted without them. */
const responsePort: ValueCodec<number> = {
  write: (writer, port) => writer.u16(port).zeros(2),
  read: (reader) => {
    const port = reader.u16();
    if (reader.remaining === 2) reader.skip(2);
    return port;
  },
};

const MAX_USERNAME_OCTETS = 512;
const MAX_TEXT_OCTETS = 763;

/** Text that is compared or returned: octets that are not UTF-8 are refused. */
function exactText(maxOctets: number): ValueCodec<string> {
  return {
    write: (writer, value) => writer.bytes(utf8(value, maxOctets)),
    read: (reader) => (reader.remaining > maxOctets ? undefined : parseUtf8(reader.rest())),
  };
}

/** Text for people: octets that are not UTF-8 become U+FFFD, because nothing depends on them. */
const diagnosticText: ValueCodec<string> = {
  write: (writer, value) => writer.bytes(utf8(value, MAX_TEXT_OCTETS)),
  read: (reader) => (reader.remaining > MAX_TEXT_OCTETS ? undefined : LENIENT_UTF8.decode(reader.rest())),
};

const CODECS: { readonly [T in StunAttributeType]: ValueCodec<StunAttributeValues[T]> } = {
  "mapped-address": address,
  "change-request": changeRequest,
  username: exactText(MAX_USERNAME_OCTETS),
  "message-integrity": integrity,
  "error-code": errorCode,
  "unknown-attributes": unknownAttributes,
  realm: exactText(MAX_TEXT_OCTETS),
  nonce: exactText(MAX_TEXT_OCTETS),
  "xor-mapped-address": xorAddress,
  priority: u32,
  "use-candidate": flag,
  padding,
  "response-port": responsePort,
  software: diagnosticText,
  "alternate-server": address,
  fingerprint: u32,
  "ice-controlled": u64,
  "ice-controlling": u64,
  "response-origin": address,
  "other-address": address,
};

const TYPES_BY_NUMBER = new Map<number, StunAttributeType>(
  (Object.keys(ATTRIBUTE_NUMBERS) as StunAttributeType[]).map((type) => [ATTRIBUTE_NUMBERS[type], type]),
);

function encodeValue<T extends StunAttributeType>(attribute: KnownAttribute<T>, transactionId: Uint8Array): Uint8Array {
  const codec: ValueCodec<StunAttributeValues[T]> = CODECS[attribute.type];
  const writer = new ByteWriter();
  codec.write(writer, attribute.value, transactionId);
  return writer.finish();
}

function decodeValue<T extends StunAttributeType>(
  type: T,
  octets: Uint8Array,
  transactionId: Uint8Array,
): KnownAttribute<T> | undefined {
  const reader = new ByteReader(octets);
  const value = CODECS[type].read(reader, transactionId);
  if (value === undefined || reader.overrun || reader.remaining > 0) return undefined;
  return { type, value };
}

/** One zero octet, then family, port and address, the last two XOR-ed with the mask (RFC 8489 section 14.1, 14.2). */
function writeAddress(writer: ByteWriter, { ip, port }: SocketAddress, mask: Uint8Array): void {
  const octets = addressToBytes(ip);
  writer
    .u8(0)
    .u8(octets.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6)
    .u16(port ^ portMask(mask))
    .bytes(masked(octets, mask));
}

function readAddress(reader: ByteReader, mask: Uint8Array): SocketAddress | undefined {
  reader.skip(1);
  const family = reader.u8();
  const port = reader.u16() ^ portMask(mask);
  const octets = reader.rest();
  if (octets.length !== ADDRESS_LENGTHS.get(family)) return undefined;
  return { ip: addressFromBytes(masked(octets, mask)), port };
}

/** The mask of XOR-MAPPED-ADDRESS: magic cookie and transaction ID; its first two octets mask the port. */
function addressMask(transactionId: Uint8Array): Uint8Array {
  return new ByteWriter().u32(MAGIC_COOKIE).bytes(transactionId).finish();
}

const NO_MASK = new Uint8Array(16);

function portMask(mask: Uint8Array): number {
  return new ByteReader(mask).u16();
}

function masked(octets: Uint8Array, mask: Uint8Array): Uint8Array {
  return octets.map((octet, i) => octet ^ (mask[i] ?? 0));
}

const UTF8 = new TextEncoder();
// `ignoreBOM` keeps a leading U+FEFF.
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENIENT_UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

function utf8(text: string, maxOctets: number): Uint8Array {
  const octets = UTF8.encode(text);
  if (octets.length > maxOctets) throw new RangeError(`${octets.length} octets of text where ${maxOctets} are allowed`);
  return octets;
}

function parseUtf8(octets: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(octets);
  } catch {
    return undefined;
  }
}
