/** Which addresses a NAT translates. */

import type { NatPoint } from "@testbed/agent/control";
import { addressAt, addressToNumber, contains, offsetIn, parseNetwork, withoutLength } from "./address-text.ts";
import type { ResolvedInterface, ResolvedRouter, ResolvedTopology } from "./resolved.ts";

/**
 * IPv4 addresses from which packets come to a router from inside, in order: those of hosts, and of what routers inside
 * of it translate to. Hosts that move or get other addresses have all that they ever have.
 */
export function insideHosts(
  topology: Pick<ResolvedTopology, "nodes" | "timeline">,
  router: ResolvedRouter,
): readonly string[] {
  const found = addressesBehind(topology, router, new Set());
  return [...new Set(found)].toSorted((a, b) => Number(addressToNumber(a) - addressToNumber(b)));
}

function addressesBehind(
  topology: Pick<ResolvedTopology, "nodes" | "timeline">,
  router: ResolvedRouter,
  seen: Set<string>,
): readonly string[] {
  if (seen.has(router.name)) return [];
  seen.add(router.name);
  const segments = router.interfaces.flatMap(({ interfaceName, segment }) =>
    router.lan.includes(interfaceName) ? [segment] : [],
  );
  const isHere = ({ segment }: ResolvedInterface): boolean => segments.includes(segment);
  const later = topology.timeline
    .flatMap(({ actions }) => actions)
    .flatMap((action) => ("interfaces" in action ? action.interfaces : []));
  const others = topology.nodes.filter(({ name }) => name !== router.name);
  const own = [...others.flatMap(({ interfaces }) => interfaces), ...later].filter(isHere);
  const inner = others.flatMap((node) => {
    const isInside =
      node.role === "router" && node.interfaces.some((on) => isHere(on) && node.wan.includes(on.interfaceName));
    return isInside && node.nat === undefined ? outsideOf(node, addressesBehind(topology, node, seen)) : [];
  });
  const addresses = own.flatMap(({ ipv4, pool = [] }) => [ipv4, ...pool]);
  return [...addresses.filter((address) => address !== undefined).map(withoutLength), ...inner];
}

/** Addresses behind a router without NAT as they are in front of it. */
function outsideOf({ prefixes }: ResolvedRouter, addresses: readonly string[]): readonly string[] {
  return addresses.map((address) => {
    const prefix = prefixes.find(({ inside }) => contains(parseNetwork(inside), address));
    if (prefix === undefined) return address;
    return addressAt(parseNetwork(prefix.outside), offsetIn(parseNetwork(prefix.inside), address));
  });
}

/** The ports of an inside host with `portAssignment: block`: the n-th host in order has the n-th block (RFC 7422). */
export function blockOf(
  {
    insideHosts: hosts,
    nat,
  }: { readonly insideHosts: readonly string[]; readonly nat?: Pick<NatPoint, "ports" | "blockSize"> },
  host: string,
): { readonly first: number; readonly last: number } | undefined {
  const place = hosts.indexOf(host);
  if (nat?.blockSize === undefined || place < 0) return undefined;
  const first = nat.ports.first + place * nat.blockSize;
  return { first, last: first + nat.blockSize - 1 };
}
