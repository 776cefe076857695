/** Well-known UDP ports. */

/** DSMIPv6: registrations and tunnels (RFC 5555 section 10). */
export const DSMIPV6_PORT = 4191;

/** STUN (RFC 8489 section 18.6). */
export const STUN_PORT = 3478;

/** The second port of a server for NAT behaviour discovery (RFC 5780), as other servers use it. */
export const ALTERNATE_STUN_PORT = 3479;
