/**
 * Shared-key authentication between mobile node and home agent in the manner of RFC 4285 section 5: the MN-HA
 * mobility message authentication option behind all others, over HMAC-SHA1. It replaces the IPsec of RFC 3776. Sequence
 * numbers and timestamps (`replay-guard.ts`) protect from replay.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { BINDING_OPTIONS_AT, encodeMobilityMessage, type MobilityMessageOf } from "./messages.ts";
import { type MobilityEndpoints, withChecksum, withoutChecksum } from "./mobility-header.ts";
import {
  AUTHENTICATOR_LENGTH,
  findOptionOffset,
  ipv6BytesOf,
  MOBILITY_OPTION,
  type MobilityOption,
} from "./options.ts";

/** Input of the authenticator. */
export interface RegistrationAuthentication {
  readonly key: Uint8Array;
  /** Care-of address; IPv4 is used in its IPv4-mapped form. */
  readonly careOf: string;
  readonly homeAddress: string;
}

const MN_HA_SUBTYPE = 1;

/** Security parameter index; values up to 255 are reserved (RFC 4285 section 5.1). */
const SPI = 256;

/** Octets from the option's type to the end of its SPI, the last octet that the authenticator covers. */
const COVERED_OF_OPTION = 7;

/** Encodes a BU or BA of a home registration with the authentication option last. */
export function encodeAuthenticated(
  message: MobilityMessageOf<"binding-update" | "binding-acknowledgement">,
  endpoints: MobilityEndpoints,
  authentication: RegistrationAuthentication,
): Uint8Array {
  const blank: MobilityOption = {
    type: "authentication",
    subtype: MN_HA_SUBTYPE,
    spi: SPI,
    authenticator: new Uint8Array(AUTHENTICATOR_LENGTH),
  };
  const header = encodeMobilityMessage({ ...message, options: [...message.options, blank] }, endpoints);
  const optionAt = authenticationOffset(header) ?? 0;
  header.set(authenticatorOf(header, optionAt, authentication), optionAt + COVERED_OF_OPTION);
  return withChecksum(header, endpoints);
}

/**
 * True when a received BU or BA has a valid authentication option. `header` is the complete Mobility Header, already
 * decoded; compares in constant time.
 */
export function isAuthentic(header: Uint8Array, authentication: RegistrationAuthentication): boolean {
  const optionAt = authenticationOffset(header);
  if (optionAt === undefined || header[optionAt + 2] !== MN_HA_SUBTYPE) return false;
  const authenticatorAt = optionAt + COVERED_OF_OPTION;
  const received = header.subarray(authenticatorAt, authenticatorAt + AUTHENTICATOR_LENGTH);
  return (
    received.length === AUTHENTICATOR_LENGTH &&
    timingSafeEqual(received, authenticatorOf(header, optionAt, authentication))
  );
}

function authenticationOffset(header: Uint8Array): number | undefined {
  return findOptionOffset(header, BINDING_OPTIONS_AT, MOBILITY_OPTION.authentication);
}

/** First 96 bits of HMAC-SHA1(key, care-of address | home address | MH with checksum 0 up to and with the SPI). */
function authenticatorOf(header: Uint8Array, optionAt: number, authentication: RegistrationAuthentication): Uint8Array {
  const covered = withoutChecksum(header).subarray(0, optionAt + COVERED_OF_OPTION);
  const mac = createHmac("sha1", authentication.key)
    .update(ipv6BytesOf(authentication.careOf))
    .update(ipv6BytesOf(authentication.homeAddress))
    .update(covered);
  return new Uint8Array(mac.digest().subarray(0, AUTHENTICATOR_LENGTH));
}
