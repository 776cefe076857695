/**
 * How both ends get the keys of the checks' MACs (section 1.5 of the draft): passwords in offer and answer, or
 * derivation from Kbm of return routability. The details of the second are the profile's: an ice-option announces it,
 * the offer contains the home nonce index, and the password fields are zero.
 */

import { createHmac } from "node:crypto";
import type { IceCredentials } from "../../ice/ice-machine.ts";
import type { KeyMode } from "../../node/agent-settings.ts";
import { NO_CREDENTIALS, PWD_LENGTH, toIceChars } from "../option/mip-ice-credentials.ts";
import type { MipIceDescription } from "../option/mip-ice-option.ts";

/** The token of ice-options for keys from return routability. */
const RR_KEYS = "rrkeys";

/** The ice-options of this mode in offers and answers. */
export function keyModeOptions(mode: KeyMode): readonly string[] {
  return mode === "rr" ? [RR_KEYS] : [];
}

/** The mode of an offer or answer. */
export function keyModeOf({ options }: Pick<MipIceDescription, "options">): KeyMode {
  return options.includes(RR_KEYS) ? "rr" : "signalled";
}

/** Why two ends cannot check each other, and what to do about it. */
export function describeKeyMismatch(own: KeyMode, peer: KeyMode): string {
  return `keys of checks differ: this node has \`keys: ${own}\`, its peer \`keys: ${peer}\`; give both the same`;
}

/** Credentials in a message, which does not contain a derived password. */
export function signalledCredentials(mode: KeyMode, { ufrag, pwd }: IceCredentials): IceCredentials {
  return { ufrag, pwd: mode === "rr" ? NO_CREDENTIALS.pwd : pwd };
}

/** Ufrags of both ends, by offerer and answerer. */
export interface ExchangedUfrags {
  readonly offer: string;
  readonly answer: string;
}

/**
 * The password of one end: base64 text of the first 128 bits of HMAC-SHA1(Kbm, "M-ICE" | end | ufrag of the offer |
 * ufrag of the answer), where end is 0 for the offerer and 1 for the answerer. New ufrags produce new passwords, also
 * in a restart with the same tokens.
 */
export function derivedPassword(kbm: Uint8Array, end: "offer" | "answer", ufrags: ExchangedUfrags): string {
  const mac = createHmac("sha1", kbm)
    .update("M-ICE")
    .update(Uint8Array.of(end === "offer" ? 0 : 1))
    .update(ufrags.offer)
    .update(ufrags.answer);
  return toIceChars(mac.digest().subarray(0, PWD_LENGTH));
}
