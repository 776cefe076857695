/**
 * Offers and answers of M-ICE as mobility options (SPEC 8.3, profile MICE-1). One that does not fit one option of 257
 * octets is sent in several, each complete in itself: nine IPv4 or four IPv6 candidates an option.
 */

import type { SocketAddress } from "../../address.ts";
import type { MobilityOption } from "../../mip6/options.ts";
import { type Decoded, decoded, malformed } from "../../result.ts";
import { encodeEntry, type MipIceCandidate, type MipIceEntry, type SkipReason } from "./mip-ice-candidate.ts";
import { NO_CREDENTIALS } from "./mip-ice-credentials.ts";
import {
  decodeSegment,
  encodeSegment,
  type MipIceHead,
  type MipIceSegment,
  type OpaqueOption,
  roomForEntries,
  sameHead,
} from "./mip-ice-segment.ts";

/** Option number of MIP-ICE: the one for experiments (RFC 5096, A-1). */
const DEFAULT_MIP_ICE_OPTION = 18;

/** An offer or an answer; assignable to `RemoteDescription` of the ICE agent. */
export interface MipIceDescription extends MipIceHead {
  readonly candidates: readonly MipIceCandidate[];
  /** Remote candidate of the selected pair; only from the controlling side once ICE completed. */
  readonly remoteCandidates: readonly SocketAddress[];
}

/** Decoded contents of a message. */
export interface ReceivedMipIce {
  readonly description: MipIceDescription;
  /** Why entries were skipped, one element each. */
  readonly skipped: readonly SkipReason[];
}

/** The answer to an offer whose default candidate is not among its candidates: M set, all else zero. */
export const MISMATCH_ANSWER: MipIceDescription = {
  isLite: false,
  isMismatch: true,
  credentials: NO_CREDENTIALS,
  options: [],
  candidates: [],
  remoteCandidates: [],
};

const MAX_SEGMENTS = 16;

/** Encodes an offer or answer as one or more options, in message order. More than 16 throw RangeError: `fittingCandidates`. */
export function encodeMipIce(description: MipIceDescription, optionType = DEFAULT_MIP_ICE_OPTION): OpaqueOption[] {
  const entries = [
    ...description.candidates.map((candidate) => encodeEntry({ kind: "candidate", candidate })),
    ...description.remoteCandidates.map((address) => encodeEntry({ kind: "remote-candidate", address })),
  ];
  const segments = distribute(entries, roomForEntries(description));
  if (segments.length > MAX_SEGMENTS)
    throw new RangeError(`${entries.length} candidates do not fit ${MAX_SEGMENTS} options`);
  return segments.map((segment, index) =>
    encodeSegment(optionType, { index, lastIndex: segments.length - 1, head: description, entries: segment }),
  );
}

/**
 * Combines the MIP-ICE options of a message into one offer or answer; undefined without any. One error refuses all of
 * it: those of `decodeSegment`, `mip-ice-segment` (not 0 to last in order) and `mip-ice-head` (segments differ in
 * flags, credentials or ice-options).
 */
export function decodeMipIce(
  options: readonly MobilityOption[],
  optionType = DEFAULT_MIP_ICE_OPTION,
): Decoded<ReceivedMipIce | undefined> {
  const segments: MipIceSegment[] = [];
  for (const option of options) {
    if (option.type !== "opaque" || option.optionType !== optionType) continue;
    const segment = decodeSegment(option);
    if (!segment.ok) return segment;
    segments.push(segment.value);
  }
  return joinSegments(segments);
}

function joinSegments(segments: readonly MipIceSegment[]): Decoded<ReceivedMipIce | undefined> {
  const first = segments[0];
  if (first === undefined) return decoded(undefined);
  const isInOrder = segments.every(({ index, lastIndex }, i) => index === i && lastIndex === segments.length - 1);
  if (!isInOrder) return malformed("mip-ice-segment", 2);
  if (!segments.every(({ head }) => sameHead(head, first.head))) return malformed("mip-ice-head", CHANGED_HEAD_AT);
  return decoded(
    received(
      first.head,
      segments.flatMap(({ entries }) => entries),
    ),
  );
}

/** Offset reported for segments that differ: that of flags and credentials. */
const CHANGED_HEAD_AT = 6;

function received(head: MipIceHead, entries: readonly MipIceEntry[]): ReceivedMipIce {
  const candidates = entries.flatMap((entry) => (entry.kind === "candidate" ? [entry.candidate] : []));
  const remoteCandidates = entries.flatMap((entry) => (entry.kind === "remote-candidate" ? [entry.address] : []));
  const skipped = entries.flatMap((entry) => (entry.kind === "skipped" ? [entry.reason] : []));
  return { description: { ...head, candidates, remoteCandidates }, skipped };
}

/** Fills options one after the other in order; there is always at least one. */
function distribute(entries: readonly Uint8Array[], room: number): Uint8Array[][] {
  const segments: Uint8Array[][] = [[]];
  let used = 0;
  for (const entry of entries) {
    if (used + entry.length > room) {
      segments.push([]);
      used = 0;
    }
    segments.at(-1)?.push(entry);
    used += entry.length;
  }
  return segments;
}
