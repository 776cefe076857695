/**
 * Mobility options (RFC 6275 section 6.2, RFC 5555 section 3, RFC 4285 sections 5 and 6): type 8, length 8 of what follows,
 * data; each aligned from the start of the Mobility Header, Pad1 and PadN between them.
 */

import { addressFromBytes, addressToBytes, familyOf, mappedIpv6Bytes, unmappedIpv4 } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { assertNever } from "../machine.ts";
import { type Decoded, decoded, malformed } from "../result.ts";

/** Option numbers (IANA "Mobility Options"). */
export const MOBILITY_OPTION = {
  pad1: 0,
  padN: 1,
  bindingRefreshAdvice: 2,
  alternateCareOfAddress: 3,
  nonceIndices: 4,
  bindingAuthorizationData: 5,
  authentication: 9,
  replayProtection: 10,
  ipv4HomeAddress: 29,
  ipv4AddressAcknowledgement: 30,
  natDetection: 31,
  ipv4CareOfAddress: 32,
} as const;

/** Octets of every authenticator here: the first 96 bits of an HMAC-SHA1. */
export const AUTHENTICATOR_LENGTH = 12;

/** `refreshSec` of a NAT Detection option: no keepalive is needed. */
export const NO_KEEPALIVE_NEEDED = 0xffff_ffff;

/** A mobility option. Addresses are canonical text; octets are copies. */
export type MobilityOption =
  | {
      /** In a BA of a home agent: refresh the binding after this time. Encoded in multiples of 4 seconds. */
      readonly type: "binding-refresh-advice";
      readonly intervalSec: number;
    }
  | {
      /** In a BU. IPv4 text is encoded as the IPv4-mapped address. */
      readonly type: "alternate-care-of-address";
      readonly address: string;
    }
  | { readonly type: "nonce-indices"; readonly home: number; readonly careOf: number }
  | {
      /** Twelve octets; always the last option of a message. */
      readonly type: "binding-authorization-data";
      readonly authenticator: Uint8Array;
    }
  | {
      /** Mobility message authentication (RFC 4285 section 5): subtype 1 is MN-HA. Twelve octets of authenticator. */
      readonly type: "authentication";
      readonly subtype: number;
      readonly spi: number;
      readonly authenticator: Uint8Array;
    }
  | {
      /** Mobility message replay protection (RFC 4285 section 6): 64 bits, seconds since 1900 and a fraction. */
      readonly type: "replay-protection";
      readonly timestamp: bigint;
    }
  | {
      /** In a BU; 0.0.0.0 requests an address. `prefixLength` 0..63. */
      readonly type: "ipv4-home-address";
      readonly prefixLength: number;
      readonly requestsPrefix: boolean;
      readonly address: string;
    }
  | {
      readonly type: "ipv4-address-acknowledgement";
      readonly status: number;
      readonly prefixLength: number;
      readonly address: string;
    }
  | {
      /** In a BA: there is a NAT. `refreshSec` 0 means unspecified, 0xFFFFFFFF no keepalive needed. */
      readonly type: "nat-detection";
      readonly forceUdp: boolean;
      readonly refreshSec: number;
    }
  | {
      /** In a BU: the IPv4 address of the mobile node before any translation. */
      readonly type: "ipv4-care-of-address";
      readonly address: string;
    }
  | {
      /** Any other option, such as MIP-ICE: passed on uninterpreted. `data` is at most 255 octets. */
      readonly type: "opaque";
      readonly optionType: number;
      readonly data: Uint8Array;
    };

/** The option of one type. */
export type MobilityOptionOf<Type extends MobilityOption["type"]> = Extract<MobilityOption, { readonly type: Type }>;

/** The first option of this type, or undefined. */
export function findOption<Type extends MobilityOption["type"]>(
  options: readonly MobilityOption[],
  type: Type,
): MobilityOptionOf<Type> | undefined {
  return options.find((option): option is MobilityOptionOf<Type> => option.type === type);
}

/**
 * Encodes options that begin `start` octets into a Mobility Header, in the given order, each aligned, and padded to a
 * multiple of 8 octets of the complete message. Binding Authorization Data has to be last.
 */
export function encodeOptions(options: readonly MobilityOption[], start: number): Uint8Array {
  const writer = new ByteWriter();
  for (const option of options) {
    const { unit, remainder } = alignmentOf(option);
    writePadding(writer, (((remainder - start - writer.length) % unit) + unit) % unit);
    writeOption(writer, option);
  }
  writePadding(writer, (8 - ((start + writer.length) % 8)) % 8);
  return writer.finish();
}

/**
 * Decodes the options of a Mobility Header that begin at `start`. Padding is dropped, unknown options become `opaque`.
 * Refuses `option-overrun`, `option-length` and `authorization-data-not-last`.
 */
export function decodeOptions(header: Uint8Array, start: number): Decoded<readonly MobilityOption[]> {
  const options: MobilityOption[] = [];
  for (const located of locateOptions(header, start)) {
    if (!located.ok) return located;
    const { type, at, data } = located.value;
    const option = decodeOption(type, data);
    if (option === undefined) return malformed("option-length", at);
    if (option.type === "binding-authorization-data" && at + 2 + data.length !== header.length)
      return malformed("authorization-data-not-last", at);
    options.push(option);
  }
  return decoded(options);
}

/** Offset of the first option with this number in a Mobility Header whose options begin at `start`. */
export function findOptionOffset(header: Uint8Array, start: number, optionType: number): number | undefined {
  for (const located of locateOptions(header, start)) {
    if (located.ok && located.value.type === optionType) return located.value.at;
  }
  return undefined;
}

/** Sixteen octets of an address; IPv4 text becomes its IPv4-mapped form. */
export function ipv6BytesOf(address: string): Uint8Array {
  return familyOf(address) === 4 ? mappedIpv6Bytes(address) : addressToBytes(address);
}

/** Walks the type-length-value chain; padding is skipped. Ends at the first error. */
function* locateOptions(
  header: Uint8Array,
  start: number,
): Generator<Decoded<{ type: number; at: number; data: Uint8Array }>> {
  const reader = new ByteReader(header, start);
  while (reader.remaining > 0) {
    const at = reader.offset;
    const type = reader.u8();
    if (type === MOBILITY_OPTION.pad1) continue;
    const data = reader.bytes(reader.u8());
    if (reader.overrun) {
      yield malformed("option-overrun", at);
      return;
    }
    if (type !== MOBILITY_OPTION.padN) yield decoded({ type, at, data });
  }
}

/** Alignment `unit·n + remainder` of an option's first octet (RFC 6275 section 6.2.1; MIP-ICE: SPEC 8.3). */
function alignmentOf(option: MobilityOption): { readonly unit: number; readonly remainder: number } {
  switch (option.type) {
    case "binding-refresh-advice":
    case "nonce-indices":
      return { unit: 2, remainder: 0 };
    case "alternate-care-of-address":
      return { unit: 8, remainder: 6 };
    case "binding-authorization-data":
    case "replay-protection":
      return { unit: 8, remainder: 2 };
    case "authentication":
      return { unit: 4, remainder: 1 };
    case "ipv4-home-address":
    case "ipv4-address-acknowledgement":
    case "nat-detection":
    case "ipv4-care-of-address":
    case "opaque":
      return { unit: 4, remainder: 0 };
    default:
      return assertNever(option);
  }
}

function writePadding(writer: ByteWriter, length: number): void {
  if (length === 1) writer.u8(MOBILITY_OPTION.pad1);
  if (length >= 2)
    writer
      .u8(MOBILITY_OPTION.padN)
      .u8(length - 2)
      .zeros(length - 2);
}

function writeOption(writer: ByteWriter, option: MobilityOption): void {
  const { optionType, data } = encodeOption(option);
  writer.u8(optionType).u8(data.length).bytes(data);
}

function encodeOption(option: MobilityOption): { readonly optionType: number; readonly data: Uint8Array } {
  const data = new ByteWriter();
  const as = (optionType: number) => ({ optionType, data: data.finish() });
  switch (option.type) {
    case "binding-refresh-advice":
      data.u16(Math.floor(option.intervalSec / 4));
      return as(MOBILITY_OPTION.bindingRefreshAdvice);
    case "alternate-care-of-address":
      data.bytes(ipv6BytesOf(option.address));
      return as(MOBILITY_OPTION.alternateCareOfAddress);
    case "nonce-indices":
      data.u16(option.home).u16(option.careOf);
      return as(MOBILITY_OPTION.nonceIndices);
    case "binding-authorization-data":
      data.bytes(requireAuthenticator(option.authenticator));
      return as(MOBILITY_OPTION.bindingAuthorizationData);
    case "authentication":
      data.u8(option.subtype).u32(option.spi).bytes(requireAuthenticator(option.authenticator));
      return as(MOBILITY_OPTION.authentication);
    case "replay-protection":
      data.u64(option.timestamp);
      return as(MOBILITY_OPTION.replayProtection);
    case "ipv4-home-address":
      data
        .u16((option.prefixLength << 10) | (option.requestsPrefix ? 0x0200 : 0))
        .bytes(addressToBytes(option.address));
      return as(MOBILITY_OPTION.ipv4HomeAddress);
    case "ipv4-address-acknowledgement":
      data
        .u8(option.status)
        .u8(option.prefixLength << 2)
        .bytes(addressToBytes(option.address));
      return as(MOBILITY_OPTION.ipv4AddressAcknowledgement);
    case "nat-detection":
      data.u16(option.forceUdp ? 0x8000 : 0).u32(option.refreshSec);
      return as(MOBILITY_OPTION.natDetection);
    case "ipv4-care-of-address":
      data.u16(0).bytes(addressToBytes(option.address));
      return as(MOBILITY_OPTION.ipv4CareOfAddress);
    case "opaque":
      return option;
    default:
      return assertNever(option);
  }
}

/** Data lengths of the supported options. */
const DATA_LENGTH: Readonly<Record<number, number>> = {
  [MOBILITY_OPTION.bindingRefreshAdvice]: 2,
  [MOBILITY_OPTION.alternateCareOfAddress]: 16,
  [MOBILITY_OPTION.nonceIndices]: 4,
  [MOBILITY_OPTION.bindingAuthorizationData]: AUTHENTICATOR_LENGTH,
  [MOBILITY_OPTION.authentication]: 5 + AUTHENTICATOR_LENGTH,
  [MOBILITY_OPTION.replayProtection]: 8,
  [MOBILITY_OPTION.ipv4HomeAddress]: 6,
  [MOBILITY_OPTION.ipv4AddressAcknowledgement]: 6,
  [MOBILITY_OPTION.natDetection]: 6,
  [MOBILITY_OPTION.ipv4CareOfAddress]: 6,
};

/** Undefined for a supported option with a wrong length. */
function decodeOption(optionType: number, data: Uint8Array): MobilityOption | undefined {
  const expectedLength = DATA_LENGTH[optionType];
  if (expectedLength !== undefined && data.length !== expectedLength) return undefined;
  const reader = new ByteReader(data);
  switch (optionType) {
    case MOBILITY_OPTION.bindingRefreshAdvice:
      return { type: "binding-refresh-advice", intervalSec: reader.u16() * 4 };
    case MOBILITY_OPTION.alternateCareOfAddress:
      return { type: "alternate-care-of-address", address: unmappedIpv4(data) ?? addressFromBytes(data) };
    case MOBILITY_OPTION.nonceIndices:
      return { type: "nonce-indices", home: reader.u16(), careOf: reader.u16() };
    case MOBILITY_OPTION.bindingAuthorizationData:
      return { type: "binding-authorization-data", authenticator: copyOf(data) };
    case MOBILITY_OPTION.authentication:
      return { type: "authentication", subtype: reader.u8(), spi: reader.u32(), authenticator: copyOf(reader.rest()) };
    case MOBILITY_OPTION.replayProtection:
      return { type: "replay-protection", timestamp: reader.u64() };
    case MOBILITY_OPTION.ipv4HomeAddress: {
      const bits = reader.u16();
      const address = addressFromBytes(reader.rest());
      return { type: "ipv4-home-address", prefixLength: bits >> 10, requestsPrefix: (bits & 0x0200) !== 0, address };
    }
    case MOBILITY_OPTION.ipv4AddressAcknowledgement: {
      const status = reader.u8();
      const prefixLength = reader.u8() >> 2;
      return { type: "ipv4-address-acknowledgement", status, prefixLength, address: addressFromBytes(reader.rest()) };
    }
    case MOBILITY_OPTION.natDetection:
      return { type: "nat-detection", forceUdp: (reader.u16() & 0x8000) !== 0, refreshSec: reader.u32() };
    case MOBILITY_OPTION.ipv4CareOfAddress:
      return { type: "ipv4-care-of-address", address: addressFromBytes(data.subarray(2)) };
    default:
      return { type: "opaque", optionType, data: copyOf(data) };
  }
}

/** A copy that outlives the receive buffer, for any kind of array. */
function copyOf(octets: Uint8Array): Uint8Array {
  return new Uint8Array(octets);
}

function requireAuthenticator(authenticator: Uint8Array): Uint8Array {
  if (authenticator.length === AUTHENTICATOR_LENGTH) return authenticator;
  throw new RangeError(`an authenticator has ${AUTHENTICATOR_LENGTH} octets, not ${authenticator.length}`);
}
