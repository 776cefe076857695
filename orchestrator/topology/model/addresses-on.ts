import type { ResolvedInterface } from "./resolved.ts";

/** The addresses of a node on one of its segments, IPv4 first, with prefix length. */
export function addressesOn(interfaces: readonly ResolvedInterface[], segment: string): readonly string[] {
  const { ipv4, ipv6 } = interfaces.find((own) => own.segment === segment) ?? {};
  return [ipv4, ipv6].filter((address) => address !== undefined);
}
