/** A router's outside. */

import { withoutLength } from "./address-text.ts";
import type { ResolvedInterface, ResolvedRouter } from "./resolved.ts";

type WithOutside = Pick<ResolvedRouter, "interfaces" | "wan">;

export function outsideInterface({ interfaces, wan }: WithOutside): ResolvedInterface | undefined {
  return interfaces.find(({ interfaceName }) => interfaceName === wan);
}

/** The outside IPv4 address, without prefix length; undefined where the router has none. */
export function outsideIpv4(router: WithOutside): string | undefined {
  const address = outsideInterface(router)?.ipv4;
  return address === undefined ? undefined : withoutLength(address);
}
