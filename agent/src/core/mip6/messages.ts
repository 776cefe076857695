/** Encodes and decodes messages of Mobile IPv6 (RFC 6275 section 6.1) and of M-ICE (SPEC 3.2). */

import { addressFromBytes, addressToBytes } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { assertNever } from "../machine.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import {
  decodeMobilityHeader,
  encodeMobilityHeader,
  MESSAGE_DATA_AT,
  MH_TYPE,
  type MobilityEndpoints,
} from "./mobility-header.ts";
import { decodeOptions, encodeOptions, type MobilityOption } from "./options.ts";

/** Numbers that are not assigned to M-ICE and that a deployment may choose. */
export interface MobilityNumbers {
  readonly careOfTestInitIce: number;
  readonly careOfTestIce: number;
}

/** CoTI-ICE is 22 and CoT-ICE is 23, as in bajko-mip6-rrtfw-02. */
export const DEFAULT_MOBILITY_NUMBERS: MobilityNumbers = {
  careOfTestInitIce: MH_TYPE.careOfTestInitIce,
  careOfTestIce: MH_TYPE.careOfTestIce,
};

/** Octets of a cookie and of a keygen token. */
export const COOKIE_LENGTH = 8;

/** HoTI: requests the home keygen token. Eight octets of cookie. */
interface HomeTestInit extends WithOptions {
  readonly type: "home-test-init";
  readonly homeInitCookie: Uint8Array;
}

/** CoTI, and CoTI-ICE whose options contain the offer. Eight octets of cookie. */
interface CareOfTestInit<Type extends "care-of-test-init" | "care-of-test-init-ice"> extends WithOptions {
  readonly type: Type;
  readonly careOfInitCookie: Uint8Array;
}

/** HoT: the home keygen token, eight octets, and the index of its nonce. */
interface HomeTest extends WithOptions {
  readonly type: "home-test";
  readonly homeNonceIndex: number;
  readonly homeInitCookie: Uint8Array;
  readonly homeKeygenToken: Uint8Array;
}

/** CoT, and CoT-ICE whose options contain the answer: the care-of keygen token, eight octets, and its nonce index. */
interface CareOfTest<Type extends "care-of-test" | "care-of-test-ice"> extends WithOptions {
  readonly type: Type;
  readonly careOfNonceIndex: number;
  readonly careOfInitCookie: Uint8Array;
  readonly careOfKeygenToken: Uint8Array;
}

/** Flags of a Binding Update; others are zero when sent and ignored when received. */
export interface BindingUpdateFlags {
  /** A: requests a Binding Acknowledgement. */
  readonly acknowledge: boolean;
  /** H: registers with a home agent. */
  readonly homeRegistration: boolean;
  /** L: the interface identifiers of home address and link-local address are the same. */
  readonly linkLocalCompatible: boolean;
  /** K: key management follows movement. */
  readonly keyManagement: boolean;
  /** F: requests UDP encapsulation whether or not a NAT is detected (RFC 5555 section 3.1.3). */
  readonly forceUdp: boolean;
}

/** BU. Lifetimes are encoded in units of 4 seconds, 0..262140; 0 requests deletion. */
export interface BindingUpdate extends WithOptions {
  readonly type: "binding-update";
  readonly sequence: number;
  readonly flags: BindingUpdateFlags;
  readonly lifetimeSec: number;
}

/** BA; `status` as in `status.ts`, lifetime as in the BU. */
export interface BindingAcknowledgement extends WithOptions {
  readonly type: "binding-acknowledgement";
  readonly status: number;
  readonly keyManagement: boolean;
  readonly sequence: number;
  readonly lifetimeSec: number;
}

/** BE: reports that a message could not be processed. */
interface BindingError extends WithOptions {
  readonly type: "binding-error";
  readonly status: number;
  readonly homeAddress: string;
}

/** Every mobility message; cookies and tokens are copies of eight octets. */
export type MobilityMessage =
  | ({ readonly type: "binding-refresh-request" } & WithOptions)
  | HomeTestInit
  | CareOfTestInit<"care-of-test-init">
  | HomeTest
  | CareOfTest<"care-of-test">
  | BindingUpdate
  | BindingAcknowledgement
  | BindingError
  | CareOfTestInit<"care-of-test-init-ice">
  | CareOfTest<"care-of-test-ice">;

/** A message of an unknown type: to be answered with a Binding Error of status 2. */
export interface UnknownMobilityMessage {
  readonly type: "unknown";
  readonly mhType: number;
}

/** The message of one type. */
export type MobilityMessageOf<Type extends MobilityMessage["type"]> = Extract<MobilityMessage, { readonly type: Type }>;

interface WithOptions {
  readonly options: readonly MobilityOption[];
}

/** Flags of a Binding Update, all clear. */
export const NO_FLAGS: BindingUpdateFlags = {
  acknowledge: false,
  homeRegistration: false,
  linkLocalCompatible: false,
  keyManagement: false,
  forceUdp: false,
};

/** Encodes a message as a complete Mobility Header with checksum. More than 2048 octets throw RangeError. */
export function encodeMobilityMessage(
  message: MobilityMessage,
  endpoints: MobilityEndpoints,
  numbers: MobilityNumbers = DEFAULT_MOBILITY_NUMBERS,
): Uint8Array {
  const data = new ByteWriter();
  const mhType = writeFixedPart(data, message, numbers);
  data.bytes(encodeOptions(message.options, MESSAGE_DATA_AT + data.length));
  return encodeMobilityHeader(mhType, data.finish(), endpoints);
}

/**
 * Decodes a complete Mobility Header. Refuses what `decodeMobilityHeader` and `decodeOptions` refuse, and `truncated`
 * when the message is shorter than its fixed part.
 */
export function decodeMobilityMessage(
  header: Uint8Array,
  endpoints: MobilityEndpoints,
  numbers: MobilityNumbers = DEFAULT_MOBILITY_NUMBERS,
): Decoded<MobilityMessage | UnknownMobilityMessage> {
  const frame = decodeMobilityHeader(header, endpoints);
  if (!frame.ok) return frame;
  const { mhType } = frame.value;
  const reader = new ByteReader(header, MESSAGE_DATA_AT);
  const withOptions = readFixedPart(mhType, reader, numbers);
  if (withOptions === undefined) return decoded({ type: "unknown", mhType });
  if (reader.overrun) return malformed("truncated", reader.offset);
  const options = decodeOptions(header, reader.offset);
  return options.ok ? decoded(withOptions(options.value)) : options;
}

/** Octet offset of the options of a Binding Update or Acknowledgement in its Mobility Header. */
export const BINDING_OPTIONS_AT = 12;

const FLAG_BITS: readonly (readonly [keyof BindingUpdateFlags, number])[] = [
  ["acknowledge", 0x8000],
  ["homeRegistration", 0x4000],
  ["linkLocalCompatible", 0x2000],
  ["keyManagement", 0x1000],
  ["forceUdp", 0x0100],
];
const ACKNOWLEDGEMENT_KEY_MANAGEMENT = 0x80;
const LIFETIME_UNIT_SEC = 4;

/** Writes the fields between checksum and options, and returns the MH type. */
function writeFixedPart(data: ByteWriter, message: MobilityMessage, numbers: MobilityNumbers): number {
  switch (message.type) {
    case "binding-refresh-request":
      data.u16(0);
      return MH_TYPE.bindingRefreshRequest;
    case "home-test-init":
      data.u16(0).bytes(eightOctets(message.homeInitCookie));
      return MH_TYPE.homeTestInit;
    case "care-of-test-init":
    case "care-of-test-init-ice":
      data.u16(0).bytes(eightOctets(message.careOfInitCookie));
      return message.type === "care-of-test-init" ? MH_TYPE.careOfTestInit : numbers.careOfTestInitIce;
    case "home-test":
      data.u16(message.homeNonceIndex);
      data.bytes(eightOctets(message.homeInitCookie)).bytes(eightOctets(message.homeKeygenToken));
      return MH_TYPE.homeTest;
    case "care-of-test":
    case "care-of-test-ice":
      data.u16(message.careOfNonceIndex);
      data.bytes(eightOctets(message.careOfInitCookie)).bytes(eightOctets(message.careOfKeygenToken));
      return message.type === "care-of-test" ? MH_TYPE.careOfTest : numbers.careOfTestIce;
    case "binding-update":
      data.u16(message.sequence).u16(flagBits(message.flags)).u16(lifetimeUnits(message.lifetimeSec));
      return MH_TYPE.bindingUpdate;
    case "binding-acknowledgement":
      data.u8(message.status).u8(message.keyManagement ? ACKNOWLEDGEMENT_KEY_MANAGEMENT : 0);
      data.u16(message.sequence).u16(lifetimeUnits(message.lifetimeSec));
      return MH_TYPE.bindingAcknowledgement;
    case "binding-error":
      data.u8(message.status).u8(0).bytes(addressToBytes(message.homeAddress));
      return MH_TYPE.bindingError;
    default:
      return assertNever(message);
  }
}

type WithOptionsAdded = (options: readonly MobilityOption[]) => MobilityMessage;

/** Reads the fields before the options; undefined for an unknown type. The result takes the options. */
function readFixedPart(mhType: number, reader: ByteReader, numbers: MobilityNumbers): WithOptionsAdded | undefined {
  switch (mhType) {
    case MH_TYPE.bindingRefreshRequest:
      reader.skip(2);
      return (options) => ({ type: "binding-refresh-request", options });
    case MH_TYPE.homeTestInit: {
      reader.skip(2);
      const homeInitCookie = readEight(reader);
      return (options) => ({ type: "home-test-init", homeInitCookie, options });
    }
    case MH_TYPE.careOfTestInit:
      return readCareOfTestInit("care-of-test-init", reader);
    case MH_TYPE.homeTest: {
      const homeNonceIndex = reader.u16();
      const homeInitCookie = readEight(reader);
      const homeKeygenToken = readEight(reader);
      return (options) => ({ type: "home-test", homeNonceIndex, homeInitCookie, homeKeygenToken, options });
    }
    case MH_TYPE.careOfTest:
      return readCareOfTest("care-of-test", reader);
    case MH_TYPE.bindingUpdate:
      return readBindingUpdate(reader);
    case MH_TYPE.bindingAcknowledgement:
      return readBindingAcknowledgement(reader);
    case MH_TYPE.bindingError:
      return readBindingError(reader);
    case numbers.careOfTestInitIce:
      return readCareOfTestInit("care-of-test-init-ice", reader);
    case numbers.careOfTestIce:
      return readCareOfTest("care-of-test-ice", reader);
    default:
      return undefined;
  }
}

function readCareOfTestInit(type: "care-of-test-init" | "care-of-test-init-ice", reader: ByteReader): WithOptionsAdded {
  reader.skip(2);
  const careOfInitCookie = readEight(reader);
  return (options) => ({ type, careOfInitCookie, options });
}

function readCareOfTest(type: "care-of-test" | "care-of-test-ice", reader: ByteReader): WithOptionsAdded {
  const careOfNonceIndex = reader.u16();
  const careOfInitCookie = readEight(reader);
  const careOfKeygenToken = readEight(reader);
  return (options) => ({ type, careOfNonceIndex, careOfInitCookie, careOfKeygenToken, options });
}

function readBindingUpdate(reader: ByteReader): WithOptionsAdded {
  const sequence = reader.u16();
  const flags = flagsOf(reader.u16());
  const lifetimeSec = reader.u16() * LIFETIME_UNIT_SEC;
  return (options) => ({ type: "binding-update", sequence, flags, lifetimeSec, options });
}

function readBindingAcknowledgement(reader: ByteReader): WithOptionsAdded {
  const status = reader.u8();
  const keyManagement = (reader.u8() & ACKNOWLEDGEMENT_KEY_MANAGEMENT) !== 0;
  const sequence = reader.u16();
  const lifetimeSec = reader.u16() * LIFETIME_UNIT_SEC;
  return (options) => ({ type: "binding-acknowledgement", status, keyManagement, sequence, lifetimeSec, options });
}

function readBindingError(reader: ByteReader): WithOptionsAdded {
  const status = reader.u8();
  reader.skip(1);
  const address = reader.bytes(16);
  const homeAddress = address.length === 16 ? addressFromBytes(address) : "::";
  return (options) => ({ type: "binding-error", status, homeAddress, options });
}

function readEight(reader: ByteReader): Uint8Array {
  return new Uint8Array(reader.bytes(COOKIE_LENGTH));
}

function eightOctets(octets: Uint8Array): Uint8Array {
  if (octets.length === COOKIE_LENGTH) return octets;
  throw new RangeError(`a cookie or keygen token has ${COOKIE_LENGTH} octets, not ${octets.length}`);
}

function lifetimeUnits(lifetimeSec: number): number {
  return Math.floor(lifetimeSec / LIFETIME_UNIT_SEC);
}

function flagBits(flags: BindingUpdateFlags): number {
  return FLAG_BITS.reduce((bits, [name, bit]) => (flags[name] ? bits | bit : bits), 0);
}

function flagsOf(bits: number): BindingUpdateFlags {
  const isSet = (name: keyof BindingUpdateFlags) =>
    FLAG_BITS.some(([flag, bit]) => flag === name && (bits & bit) !== 0);
  return {
    acknowledge: isSet("acknowledge"),
    homeRegistration: isSet("homeRegistration"),
    linkLocalCompatible: isSet("linkLocalCompatible"),
    keyManagement: isSet("keyManagement"),
    forceUdp: isSet("forceUdp"),
  };
}
