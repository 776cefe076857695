/**
 * Credentials in the MIP-ICE option: 24 and 128 random bits whose base64 text, without padding, is
 * exactly the shortest username fragment (4) and password (22 ice-chars) that ICE allows.
 */

import type { IceCredentials } from "../../ice/ice-machine.ts";
import type { Rng } from "../../machine.ts";

/** Octets of the username fragment on the wire. */
export const UFRAG_LENGTH = 3;

/** Octets of the password on the wire. */
export const PWD_LENGTH = 16;

/** Credentials of a mismatch answer: all octets zero. */
export const NO_CREDENTIALS: IceCredentials = {
  ufrag: toIceChars(new Uint8Array(UFRAG_LENGTH)),
  pwd: toIceChars(new Uint8Array(PWD_LENGTH)),
};

/** Fresh random credentials. */
export function makeCredentials(rng: Rng): IceCredentials {
  return { ufrag: toIceChars(rng.bytes(UFRAG_LENGTH)), pwd: toIceChars(rng.bytes(PWD_LENGTH)) };
}

/** Encodes octets as base64 (RFC 4648 section 4) without `=`. */
export function toIceChars(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64").replaceAll("=", "");
}

/** Decodes text of `toIceChars` with `length` octets. Throws RangeError for any other text. */
export function fromIceChars(text: string, length: number): Uint8Array {
  const octets = new Uint8Array(Buffer.from(text, "base64"));
  if (octets.length !== length || toIceChars(octets) !== text)
    throw new RangeError(`credentials of the MIP-ICE option are base64 text of ${length} octets`);
  return octets;
}
