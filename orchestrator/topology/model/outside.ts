/** A router's outside. */

import { withoutLength } from "./address-text.ts";
import type { ResolvedInterface, ResolvedRouter } from "./resolved.ts";

type WithOutside = Pick<ResolvedRouter, "interfaces" | "wan">;

/** The interfaces on its outside segments, the first one first. */
export function outsideInterfaces({ interfaces, wan }: WithOutside): readonly ResolvedInterface[] {
  return wan.flatMap((name) => interfaces.find(({ interfaceName }) => interfaceName === name) ?? []);
}

/** The outside IPv4 address, without prefix length, and the first of several; undefined where the router has none. */
export function outsideIpv4(router: WithOutside): string | undefined {
  return outsideAddresses(router)[0]?.ip;
}

/** An IPv4 address of a router's outside, without prefix length, and the interface that has it. */
export interface OutsideAddress {
  readonly ip: string;
  readonly interfaceName: string;
}

/** All IPv4 addresses from which a router's NAT sends. */
export function outsideAddresses(router: WithOutside): readonly OutsideAddress[] {
  return outsideInterfaces(router).flatMap(({ interfaceName, ipv4, pool = [] }) =>
    [ipv4, ...pool].flatMap((address) =>
      address === undefined ? [] : [{ ip: withoutLength(address), interfaceName }],
    ),
  );
}
