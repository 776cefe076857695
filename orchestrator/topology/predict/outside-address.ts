import { withoutLength } from "../model/address-text.ts";
import type { ResolvedRouter } from "../model/resolved.ts";

/** The outside IPv4 address of a router; empty where it has none. */
export function outsideIpOf({ interfaces, wan }: ResolvedRouter): string {
  const outside = interfaces.find(({ interfaceName }) => interfaceName === wan);
  return withoutLength(outside?.ipv4 ?? "");
}
