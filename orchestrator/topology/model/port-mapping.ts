/** What a router's port mapper can do where it is. */

import { contains, parseNetwork } from "./address-text.ts";
import { outsideIpv4 } from "./outside.ts";
import type { ResolvedRouter } from "./resolved.ts";

/** Private and shared address space (RFC 1918, RFC 6598): behind such an address a mapped port is of no use. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(parseNetwork);

/** Whether a router's port mapper refuses all requests, because its outside address is private. */
export function refusesMappings(router: ResolvedRouter): boolean {
  const outside = outsideIpv4(router);
  if (router.portMapping.length === 0 || outside === undefined) return false;
  return PRIVATE.some((network) => contains(network, outside));
}
