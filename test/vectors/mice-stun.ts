/**
 * Reference octets of the STUN messages of an M-ICE session and of what may be mistaken for STUN: our own vectors, not
 * the draft's (SPEC 8.3 and 8.5). Computed with Python's `hmac`, `hashlib` and `zlib`, and rebuilt bit-exact by a
 * second independent codec. Those of the mobility messages are in `mobility.ts`.
 */

import { fromHex, fromText } from "./hex.ts";

/**
 * Key of a check from L (the mobile node, ufrag `obLD`) to R (the correspondent node, ufrag `DQ4P`) and of its answer:
 * the password of R, base64 of the 16 octets in its MIP-ICE option.
 */
export const KEY_R = fromText("QEFCQ0RFRkdISUpLTE1OTw");

export const TRANSACTION_ID = fromHex("000102030405060708090a0b");

/** Check L to R, 88 octets: USERNAME, PRIORITY, ICE-CONTROLLING. */
export const CHECK = fromHex(`
  00010044 2112a442 000102030405060708090a0b
  00060009 445134503a6f624c44000000
  00240004 6effffff
  802a0008 0011223344556677
  00080014 5396d6594c972434859139df62239b0fd7837dd8
  80280004 f284f609`);

/** Success R to L, 64 octets: mapped 198.51.100.10:61001. */
export const CHECK_SUCCESS = fromHex(`
  0101002c 2112a442 000102030405060708090a0b
  00200008 0001cf5be721c048
  00080014 3b24c777024988ddb2585c8d6c420050064c477f
  80280004 a55965bc`);

/** Keepalive indication, 28 octets: FINGERPRINT only. */
export const KEEPALIVE_INDICATION = fromHex("00110008 2112a442 000102030405060708090a0b 80280004 484dcdf6");

/** 487 with MESSAGE-INTEGRITY, 76 octets. */
export const ROLE_CONFLICT = fromHex(`
  01110038 2112a442 000102030405060708090a0b
  00090011 00000457 526f6c6520436f6e666c696374 000000
  00080014 d5e65f19f7d2708b75231c29e84571c40c44d480
  80280004 5f74ddc4`);

/** The four STUN messages above. */
export const MICE_STUN_VECTORS = [
  { name: "check", bytes: CHECK, key: KEY_R },
  { name: "success response", bytes: CHECK_SUCCESS, key: KEY_R },
  { name: "keepalive indication", bytes: KEEPALIVE_INDICATION, key: undefined },
  { name: "487 response", bytes: ROLE_CONFLICT, key: KEY_R },
] as const;

/** Mobility Headers whose octets 4..7 are the magic cookie (SPEC 8.5). */
export const COOKIE_COLLISIONS = {
  /** HoT R to L with home nonce index 0xA442, checksum valid. */
  homeTest: fromHex("3b020300 2112 a442 112233445566778899aabbccddee58c7"),
  /** BU L to R with sequence 0xA442 and lifetime 0x1A89. */
  bindingUpdate: fromHex("3b010500 2112 a442 8000 1a89 01020000"),
  /** A HoT that is also as long as the STUN message it could be: Reserved 4, 792 octets. */
  lengthMatched: lengthMatchedHomeTest(),
} as const;

/** A Binding request without and with FINGERPRINT. */
export const BARE_REQUEST = fromHex("00010000 2112a442 000102030405060708090a0b");
export const FINGERPRINTED_REQUEST = fromHex("00010008 2112a442 000102030405060708090a0b 80280004 5b0ff6fc");

/** Header, a word that fixes the checksum, then PadN options of 257, 257 and 254 octets. */
function lengthMatchedHomeTest(): Uint8Array {
  const padN = (octets: number): string => `01${(octets - 2).toString(16)}${"00".repeat(octets - 2)}`;
  return fromHex(`3b620304 2112a442 ${"00".repeat(14)} 9721 ${padN(257)} ${padN(257)} ${padN(254)}`);
}
