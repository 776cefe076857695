/** Return routability (RFC 6275 sections 5.2 and 9.4; SPEC 3.4): keygen tokens, binding keys, authenticators. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { encodeMobilityMessage, type MobilityMessageOf, type MobilityNumbers } from "./messages.ts";
import { type MobilityEndpoints, withChecksum, withoutChecksum } from "./mobility-header.ts";
import { AUTHENTICATOR_LENGTH, ipv6BytesOf, MOBILITY_OPTION, type MobilityOption } from "./options.ts";

/** How long a correspondent accepts tokens of a nonce (RFC 6275 section 12). */
export const MAX_NONCE_LIFETIME_MS = 240_000;

/** Longest lifetime of a binding based on return routability (RFC 6275 section 12). */
export const MAX_RR_BINDING_LIFETIME_SEC = 420;

/** Octets of the node key Kcn (RFC 6275 section 5.2.1). */
export const NODE_KEY_LENGTH = 20;

const TOKEN_LENGTH = 8;

/** First 64 bits of HMAC-SHA1(Kcn, home address | nonce | 0). */
export function homeKeygenToken(nodeKey: Uint8Array, homeAddress: string, nonce: Uint8Array): Uint8Array {
  return keygenToken(nodeKey, homeAddress, nonce, 0);
}

/**
 * First 64 bits of HMAC-SHA1(Kcn, care-of address | nonce | 1). For a CoTI-ICE the care-of address is the source that
 * the correspondent receives: the home address.
 */
export function careOfKeygenToken(nodeKey: Uint8Array, careOfAddress: string, nonce: Uint8Array): Uint8Array {
  return keygenToken(nodeKey, careOfAddress, nonce, 1);
}

/** Kbm, 20 octets: SHA1(home token | care-of token); without the care-of token, the key of a deletion. */
export function bindingManagementKey(homeToken: Uint8Array, careOfToken?: Uint8Array): Uint8Array {
  const hash = createHash("sha1").update(homeToken);
  if (careOfToken !== undefined) hash.update(careOfToken);
  return new Uint8Array(hash.digest());
}

/** Input of the authenticator of a BU or BA to or from a correspondent. */
export interface BindingAuthorization {
  /** Kbm, 20 octets. */
  readonly key: Uint8Array;
  /** Care-of address; IPv4 is used in its IPv4-mapped form. The home address in a deletion. */
  readonly careOf: string;
  /** The correspondent's address; its home address if it is mobile too. */
  readonly correspondent: string;
}

/**
 * Encodes a BU or BA with Binding Authorization Data last. The address order is the same in both directions (RFC 6275
 * section 6.2.7).
 */
export function encodeAuthorized(
  message: MobilityMessageOf<"binding-update" | "binding-acknowledgement">,
  endpoints: MobilityEndpoints,
  authorization: BindingAuthorization,
  numbers?: MobilityNumbers,
): Uint8Array {
  const blank: MobilityOption = {
    type: "binding-authorization-data",
    authenticator: new Uint8Array(AUTHENTICATOR_LENGTH),
  };
  const header = encodeMobilityMessage({ ...message, options: [...message.options, blank] }, endpoints, numbers);
  header.set(authenticatorOf(header, authorization), header.length - AUTHENTICATOR_LENGTH);
  return withChecksum(header, endpoints);
}

/**
 * True when a received BU or BA ends with valid Binding Authorization Data. `header` is the complete Mobility Header,
 * already decoded; compares in constant time.
 */
export function isAuthorized(header: Uint8Array, authorization: BindingAuthorization): boolean {
  const optionAt = header.length - AUTHENTICATOR_LENGTH - 2;
  const isPresent =
    optionAt >= 12 &&
    header[optionAt] === MOBILITY_OPTION.bindingAuthorizationData &&
    header[optionAt + 1] === AUTHENTICATOR_LENGTH;
  const received = header.subarray(header.length - AUTHENTICATOR_LENGTH);
  return isPresent && timingSafeEqual(received, authenticatorOf(header, authorization));
}

/**
 * True when a sequence number is newer than `last`, modulo 2^16: the 32767 numbers that follow it are (RFC 6275 section
 * 9.5.1).
 */
export function isSequenceNewer(sequence: number, last: number): boolean {
  const distance = (sequence - last) & 0xffff;
  return distance >= 1 && distance <= 0x7fff;
}

/** First 96 bits of HMAC-SHA1(Kbm, care-of | correspondent | MH with checksum 0 and without the authenticator). */
function authenticatorOf(header: Uint8Array, { key, careOf, correspondent }: BindingAuthorization): Uint8Array {
  const covered = withoutChecksum(header).subarray(0, header.length - AUTHENTICATOR_LENGTH);
  const mac = createHmac("sha1", key).update(ipv6BytesOf(careOf)).update(ipv6BytesOf(correspondent)).update(covered);
  return new Uint8Array(mac.digest().subarray(0, AUTHENTICATOR_LENGTH));
}

function keygenToken(nodeKey: Uint8Array, address: string, nonce: Uint8Array, kind: 0 | 1): Uint8Array {
  const mac = createHmac("sha1", nodeKey).update(ipv6BytesOf(address)).update(nonce).update(Uint8Array.of(kind));
  return new Uint8Array(mac.digest().subarray(0, TOKEN_LENGTH));
}
