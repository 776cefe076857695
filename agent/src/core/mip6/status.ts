/** Status codes of Binding Acknowledgements and Binding Errors (IANA "Mobile IPv6 parameters"). */

/** Status of a Binding Acknowledgement; below 128 the binding was accepted (RFC 6275 section 6.1.8). */
export const BINDING_STATUS = {
  accepted: 0,
  acceptedButPrefixDiscoveryNecessary: 1,
  reasonUnspecified: 128,
  administrativelyProhibited: 129,
  insufficientResources: 130,
  homeRegistrationNotSupported: 131,
  notHomeSubnet: 132,
  notHomeAgentForThisMobileNode: 133,
  duplicateAddressDetectionFailed: 134,
  sequenceNumberOutOfWindow: 135,
  expiredHomeNonceIndex: 136,
  expiredCareOfNonceIndex: 137,
  expiredNonces: 138,
  registrationTypeChangeDisallowed: 139,
  /** RFC 4285 section 6.1: the timestamp is not near the home agent's time, or was used before. */
  identificationMismatch: 144,
  /** RFC 4285 section 6: there is no timestamp. */
  identificationRequired: 145,
  /** A-7: connectivity checks have not verified the care-of address. */
  invalidCareOfAddress: 174,
} as const;

/** Status of a Binding Error (RFC 6275 section 6.1.9). */
export const BINDING_ERROR_STATUS = {
  unknownBindingForHomeAddress: 1,
  unrecognizedMobilityHeaderType: 2,
} as const;

/** True when a Binding Acknowledgement with this status accepts the binding. */
export function isAccepted(status: number): boolean {
  return status < 128;
}

/** A status as text: `132 (not home subnet)`. */
export function describeStatus(status: number): string {
  const name = Object.entries(BINDING_STATUS).find(([, value]) => value === status)?.[0];
  if (name === undefined) return String(status);
  return `${status} (${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)})`;
}
