/** Encodes and decodes STUN messages (RFC 8489). */

import { ByteWriter } from "../bytes.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import { decodeAttribute, writeAttribute } from "./attribute-codec.ts";
import {
  ATTRIBUTE_NUMBERS,
  type StunAttribute,
  type StunAttributeType,
  type StunAttributeValues,
} from "./attributes.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { frameStun, type StunFrame } from "./frame.ts";
import { HEADER_LENGTH, LENGTH_OFFSET, type StunHeader, writeHeader } from "./header.ts";
import { integrityOf } from "./integrity.ts";
import { type RawAttribute, TLV_HEADER_LENGTH } from "./tlv.ts";

/** A message: header fields and attributes in message order. */
export interface StunMessage extends StunHeader {
  readonly attributes: readonly StunAttribute[];
}

/** What `encodeStun` appends to the attributes of a message. */
export interface StunProtection {
  /** Key of the MESSAGE-INTEGRITY to append; none without a key. Short-term: the password's octets. */
  readonly key?: Uint8Array | undefined;
  /** Whether to append a FINGERPRINT. */
  readonly fingerprint: boolean;
}

/**
 * Encodes a message: the attributes as given, then those of `protection`. Throws RangeError for a value that does not
 * fit its field, and for a message that already has what would be appended.
 */
export function encodeStun(message: StunMessage, protection: StunProtection): Uint8Array {
  requireUnprotected(message, protection);
  const writer = new ByteWriter();
  writeHeader(writer, message);
  const write = (attribute: StunAttribute): void => writeAttribute(writer, attribute, message.transactionId);
  for (const attribute of message.attributes) write(attribute);
  if (protection.key !== undefined)
    write({ type: "message-integrity", value: integrityOf(writer.finish(), protection.key) });
  if (protection.fingerprint) {
    patchLength(writer, FINGERPRINT_TLV_LENGTH);
    write({ type: "fingerprint", value: fingerprintOf(writer.finish()) });
  }
  patchLength(writer, 0);
  return writer.finish();
}

/**
 * Decodes a datagram that holds exactly one message, without verification. Errors: those of `frameStun` and
 * `decodeMessage`.
 */
export function decodeStun(bytes: Uint8Array): Decoded<StunMessage> {
  const frame = frameStun(bytes);
  return frame.ok ? decodeMessage(frame.value) : frame;
}

/**
 * Decodes the attributes of a message. The first occurrence of a repeated attribute is kept, and behind
 * MESSAGE-INTEGRITY only FINGERPRINT (RFC 8489 section 14, 14.5). Neither of these two is verified: `verifyIntegrity`
 * and `verifyFingerprint` work on the octets, because received padding counts.
 *
 * Errors: `fingerprint-not-last`, and `bad-` with an attribute's type.
 */
export function decodeMessage({ header, attributes: raw }: StunFrame): Decoded<StunMessage> {
  const misplaced = raw.find(({ number }, i) => number === ATTRIBUTE_NUMBERS.fingerprint && i < raw.length - 1);
  if (misplaced !== undefined) return malformed("fingerprint-not-last", misplaced.offset);
  const attributes: StunAttribute[] = [];
  for (const each of firstOccurrences(withoutUnprotected(raw))) {
    const attribute = decodeAttribute(each, header.transactionId);
    if (!attribute.ok) return attribute;
    attributes.push(attribute.value);
  }
  return decoded({ ...header, attributes });
}

/** The value of the first attribute of this type, or undefined. */
export function findAttribute<T extends StunAttributeType>(
  message: Pick<StunMessage, "attributes">,
  type: T,
): StunAttributeValues[T] | undefined {
  return message.attributes.find((attribute): attribute is OfType<T> => attribute.type === type)?.value;
}

type OfType<T extends StunAttributeType> = StunAttribute & { readonly type: T; readonly value: StunAttributeValues[T] };

const FINGERPRINT_TLV_LENGTH = TLV_HEADER_LENGTH + 4;

function patchLength(writer: ByteWriter, octetsToCome: number): void {
  writer.patchU16(LENGTH_OFFSET, writer.length + octetsToCome - HEADER_LENGTH);
}

function requireUnprotected(message: StunMessage, { key, fingerprint }: StunProtection): void {
  const has = (type: StunAttributeType): boolean => findAttribute(message, type) !== undefined;
  const clash =
    (key !== undefined && has("message-integrity")) || ((key !== undefined || fingerprint) && has("fingerprint"));
  if (clash) throw new RangeError("the message already carries what it is to be protected with");
}

/** Drops attributes behind MESSAGE-INTEGRITY except FINGERPRINT. */
function withoutUnprotected(attributes: readonly RawAttribute[]): readonly RawAttribute[] {
  const end = attributes.findIndex(({ number }) => number === ATTRIBUTE_NUMBERS["message-integrity"]);
  if (end < 0) return attributes;
  return attributes.filter(({ number }, i) => i <= end || number === ATTRIBUTE_NUMBERS.fingerprint);
}

function firstOccurrences(attributes: readonly RawAttribute[]): readonly RawAttribute[] {
  const seen = new Set<number>();
  return attributes.filter(({ number }) => {
    const isFirst = !seen.has(number);
    seen.add(number);
    return isFirst;
  });
}
