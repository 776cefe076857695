/** Networks that a lab must not use, each with the reason shown to the user. */

import { type Network, overlaps, parseNetwork } from "./address-text.ts";

interface ForbiddenNetwork {
  readonly network: string;
  readonly why: string;
}

const DOCKER_POOL = "Docker draws its own networks from 172.17.0.0/16 to 172.31.0.0/16";
const CI_MACHINES = "machines that run tests use it themselves";

const FORBIDDEN: readonly ForbiddenNetwork[] = [
  ...Array.from({ length: 15 }, (_, i) => ({ network: `172.${17 + i}.0.0/16`, why: DOCKER_POOL })),
  { network: "192.0.2.0/24", why: CI_MACHINES },
  { network: "203.0.113.0/24", why: CI_MACHINES },
  { network: "0.0.0.0/8", why: "it means this very network (RFC 1122)" },
  { network: "127.0.0.0/8", why: "it never leaves a machine (RFC 1122)" },
  { network: "169.254.0.0/16", why: "it is link-local (RFC 3927)" },
  { network: "224.0.0.0/3", why: "it is multicast or reserved (RFC 5771, RFC 1112)" },
  { network: "::/8", why: "it holds the loopback and mapped addresses (RFC 4291)" },
  { network: "fe80::/10", why: "it is link-local, and every node has such an address already (RFC 4291)" },
  { network: "ff00::/8", why: "it is multicast (RFC 4291)" },
];

/** Networks that are free in every lab, as advice. */
const FREE = {
  4: "198.18.0.0/15 for the public side, 100.64.0.0/10 for a carrier, 10.0.0.0/8 or 192.168.0.0/16 for homes",
  6: "2001:db8::/32",
} as const;

/** Why a network must not be used and what to use instead, or undefined when it may be used. */
export function forbiddenReason(text: string): string | undefined {
  const wanted: Network = parseNetwork(text);
  const hit = FORBIDDEN.find(({ network }) => overlaps(parseNetwork(network), wanted));
  return hit === undefined ? undefined : `found ${text}, which is not free: ${hit.why}; use ${FREE[wanted.family]}`;
}
