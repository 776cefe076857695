/**
 * How many candidates an offer or answer names (SPEC 8.3): as many as fit a packet that crosses every IPv6 link
 * unfragmented, in a tunnel too. A larger one would be lost wherever a tunnel on the way is narrower, and be repeated
 * with the same octets.
 */

import { familyOf } from "../../address.ts";
import { type LocalEnd, rankForPeer } from "../../ice/usefulness.ts";
import { ENTRY_LENGTH } from "./mip-ice-candidate.ts";
import { MAX_OPTION_LENGTH, roomForEntries } from "./mip-ice-segment.ts";

/**
 * Octets of all MIP-ICE options of a message: the least MTU of IPv6, 1280 (RFC 8200 section 5), less the tunnel's
 * headers of IPv6 and UDP, the inner header of IPv6, and 24 octets of the Mobility Header before the options.
 */
const MAX_OCTETS = 1280 - 48 - 40 - 24;

/** Own candidates, which are sorted best first, without the least useful of those for which there is no room. */
export function fittingCandidates<C extends LocalEnd>(
  candidates: readonly C[],
  iceOptions: readonly string[],
): readonly C[] {
  const room = roomForEntries({ options: iceOptions });
  const ranked = rankForPeer(candidates);
  for (let count = ranked.length; count > 0; count -= 1) {
    const told = new Set(ranked.slice(0, count));
    const fitting = candidates.filter((candidate) => told.has(candidate));
    if (octetsOf(fitting, room) <= MAX_OCTETS) return fitting;
  }
  return [];
}

/** Octets of the options that these candidates fill one after the other, each with `room` octets of entries. */
function octetsOf(candidates: readonly LocalEnd[], room: number): number {
  const headLength = MAX_OPTION_LENGTH - room;
  let octets = headLength;
  let used = 0;
  for (const { address } of candidates) {
    const length = ENTRY_LENGTH[familyOf(address.ip)];
    if (used + length > room) {
      octets += headLength;
      used = 0;
    }
    octets += length;
    used += length;
  }
  return octets;
}
