/**
 * One MIP-ICE option (SPEC 8.3, profile MICE-1), the draft's Figure 2 made precise:
 *
 *      0    Option Type 8, Option Length 8 (octets after this one)
 *      2    Segment: index 4 bits, last index 4 bits;  # of candidates 8
 *      4    Checksum 16 (RFC 1071 over the whole option), L 1 bit, M 1 bit, zero 14
 *      8    Ice-pwd 128
 *      24   ice-ufrag 24, ice-options Length 8, then that many octets of text, zeros up to a multiple of 4
 *      ..   candidate entries
 */

import { ByteReader, ByteWriter } from "../../bytes.ts";
import { hasValidChecksum, internetChecksum } from "../../checksum.ts";
import type { IceCredentials } from "../../ice/ice-machine.ts";
import type { MobilityOptionOf } from "../../mip6/options.ts";
import { type Decoded, decoded, malformed } from "../../result.ts";
import { decodeEntry, MAX_ENTRY_LENGTH, type MipIceEntry } from "./mip-ice-candidate.ts";
import { fromIceChars, PWD_LENGTH, toIceChars, UFRAG_LENGTH } from "./mip-ice-credentials.ts";

/** Fields that are the same in every segment of an offer or answer. */
export interface MipIceHead {
  readonly isLite: boolean;
  readonly isMismatch: boolean;
  readonly credentials: IceCredentials;
  /** Tokens of ice-options, ice-chars each. */
  readonly options: readonly string[];
}

/** One decoded option. */
export interface MipIceSegment {
  readonly index: number;
  readonly lastIndex: number;
  readonly head: MipIceHead;
  readonly entries: readonly MipIceEntry[];
}

/** An option of the Mobility Header codec. */
export type OpaqueOption = MobilityOptionOf<"opaque">;

/** Maximum octets of an option: 255 after its length, and a multiple of 4. */
export const MAX_OPTION_LENGTH = 256;

/** Octets of an option without ice-options and candidates. */
const FIXED_LENGTH = 28;

const CHECKSUM_AT = 4;
const LITE = 0x8000;
const MISMATCH = 0x4000;
const OPTIONS_TEXT = /^[A-Za-z0-9+/]+( [A-Za-z0-9+/]+)*$/;

/**
 * Octets left for candidate entries in an option with these ice-options. Throws RangeError when the largest entry does
 * not fit.
 */
export function roomForEntries({ options }: Pick<MipIceHead, "options">): number {
  const textLength = optionsText(options).length;
  const room = MAX_OPTION_LENGTH - FIXED_LENGTH - Math.ceil(textLength / 4) * 4;
  if (room < MAX_ENTRY_LENGTH) throw new RangeError(`${textLength} octets of ice-options leave no room for candidates`);
  return room;
}

/** Encodes one option from encoded entries. */
export function encodeSegment(
  optionType: number,
  segment: {
    readonly index: number;
    readonly lastIndex: number;
    readonly head: MipIceHead;
    readonly entries: readonly Uint8Array[];
  },
): OpaqueOption {
  const { head, entries } = segment;
  const text = optionsText(head.options);
  const writer = new ByteWriter()
    .u8(optionType)
    .u8(0)
    .u8((segment.index << 4) | segment.lastIndex)
    .u8(entries.length)
    .u16(0)
    .u16((head.isLite ? LITE : 0) | (head.isMismatch ? MISMATCH : 0))
    .bytes(fromIceChars(head.credentials.pwd, PWD_LENGTH))
    .bytes(fromIceChars(head.credentials.ufrag, UFRAG_LENGTH))
    .u8(text.length)
    .bytes(Buffer.from(text, "latin1"))
    .alignTo(4);
  for (const entry of entries) writer.bytes(entry);
  writer.patchU16(0, (optionType << 8) | (writer.length - 2));
  writer.patchU16(CHECKSUM_AT, internetChecksum(writer.finish()));
  return { type: "opaque", optionType, data: writer.finish().subarray(2) };
}

/**
 * Decodes one option; offsets in errors count from its first octet. Refuses `mip-ice-truncated`, `mip-ice-checksum`,
 * `mip-ice-segment`, `mip-ice-options` (not tokens joined by one space), `mip-ice-count` (# of candidates and entries
 * differ) and what `decodeEntry` refuses.
 */
export function decodeSegment({ optionType, data }: OpaqueOption): Decoded<MipIceSegment> {
  const option = new ByteWriter().u8(optionType).u8(data.length).bytes(data).finish();
  const reader = new ByteReader(option, 2);
  const segment = reader.u8();
  const count = reader.u8();
  reader.skip(2);
  const flags = reader.u16();
  const pwd = reader.bytes(PWD_LENGTH);
  const ufrag = reader.bytes(UFRAG_LENGTH);
  const textAt = reader.offset;
  const textLength = reader.u8();
  const text = Buffer.from(reader.bytes(textLength)).toString("latin1");
  reader.skip((4 - (textLength % 4)) % 4);
  if (reader.overrun) return malformed("mip-ice-truncated", reader.offset);
  if (!hasValidChecksum(option)) return malformed("mip-ice-checksum", CHECKSUM_AT);
  if (text !== "" && !OPTIONS_TEXT.test(text)) return malformed("mip-ice-options", textAt);
  const entries = decodeEntries(reader, count);
  if (!entries.ok) return entries;
  const head: MipIceHead = {
    isLite: (flags & LITE) !== 0,
    isMismatch: (flags & MISMATCH) !== 0,
    credentials: { ufrag: toIceChars(ufrag), pwd: toIceChars(pwd) },
    options: text === "" ? [] : text.split(" "),
  };
  return decoded({ index: segment >> 4, lastIndex: segment & 0x0f, head, entries: entries.value });
}

/** True when two segments are equal in everything but candidates. */
export function sameHead(a: MipIceHead, b: MipIceHead): boolean {
  return (
    a.isLite === b.isLite &&
    a.isMismatch === b.isMismatch &&
    a.credentials.ufrag === b.credentials.ufrag &&
    a.credentials.pwd === b.credentials.pwd &&
    optionsText(a.options) === optionsText(b.options)
  );
}

function decodeEntries(reader: ByteReader, count: number): Decoded<readonly MipIceEntry[]> {
  const entries: MipIceEntry[] = [];
  while (reader.remaining > 0) {
    const entry = decodeEntry(reader);
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return entries.length === count ? decoded(entries) : malformed("mip-ice-count", 3);
}

function optionsText(options: readonly string[]): string {
  const text = options.join(" ");
  if (text !== "" && !OPTIONS_TEXT.test(text)) throw new RangeError(`ice-options are tokens of ice-chars, not ${text}`);
  return text;
}
