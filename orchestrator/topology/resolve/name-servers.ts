/** Which name servers a host is told of. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { withoutLength } from "../model/address-text.ts";
import type { Interfaces } from "./addressing.ts";

interface Context {
  readonly topology: Topology;
  readonly interfaces: Interfaces;
  readonly report: Report;
}

/**
 * Addresses of the name server of a host's first segment, of the IP versions that the host has, IPv6 first; none where
 * the segment has no name server.
 */
export function nameServersOf({ topology, interfaces, report }: Context, host: string): readonly string[] {
  const [first] = interfaces.get(host) ?? [];
  if (first === undefined) return [];
  const { dns } = topology.segments.get(first.segment) ?? {};
  const server = dns === undefined ? undefined : interfaces.get(dns)?.[0];
  if (server === undefined) return [];
  const shared = (["ipv6", "ipv4"] as const).flatMap((family) =>
    first[family] === undefined ? [] : (server[family] ?? []),
  );
  if (shared.length === 0) {
    const message = `expected a name server with an address that ${host} on ${first.segment} can reach; found ${String(dns)}, which has none of its IP versions; give the server's segment the same ones`;
    report("bad-address", ["segments", first.segment, "dns"], message);
  }
  return shared.map(withoutLength);
}
