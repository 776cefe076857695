/** What a node on a segment behind a NAT64 is given in place of the IPv4 address that the model has for it. */

import type { InterfaceSetup, RouteSetup } from "@testbed/agent/control";
import { familyOfText, parseNetwork } from "../topology/model/address-text.ts";
import type { Place, ResolvedInterface } from "../topology/model/resolved.ts";

/** The addresses of an interface and, if it reaches IPv4 through a NAT64, how. */
export function addressesOf({
  ipv4,
  ipv6,
  alternate,
  nat64,
  pool = [],
}: ResolvedInterface): Pick<InterfaceSetup, "addresses" | "nat64"> {
  const isSource = nat64?.source !== undefined && ipv6 !== undefined;
  const source = isSource ? `${nat64.source}/${parseNetwork(ipv6).length}` : undefined;
  const native = nat64 === undefined ? ipv4 : undefined;
  const addresses = [native, ipv6, source, alternate?.ipv4, alternate?.ipv6, ...pool].filter(
    (address) => address !== undefined,
  );
  if (nat64?.source === undefined || ipv4 === undefined) return { addresses };
  return { addresses, nat64: { prefix: nat64.prefix, ipv4, ipv6: nat64.source } };
}

/** The routes of a place that the kernel gets. */
export function kernelRoutes({ interfaces, routes }: Place): readonly RouteSetup[] {
  const translated = new Set(
    interfaces.flatMap(({ interfaceName, nat64 }) => (nat64 === undefined ? [] : interfaceName)),
  );
  return routes.filter(({ to, interfaceName }) => familyOfText(to) === 6 || !translated.has(interfaceName));
}
