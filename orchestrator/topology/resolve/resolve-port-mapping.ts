/** Checks the port mapping by request of a router. */

import type { Report } from "../file/issue-list.ts";
import type { RouterEntry } from "../file/schema.ts";
import { contains, parseNetwork, withoutLength } from "../model/address-text.ts";
import type { ResolvedInterface, ResolvedRouter } from "../model/resolved.ts";

/** What a router's port mapping depends on. */
interface Mapper {
  readonly name: string;
  readonly entry: RouterEntry;
  /** Its outside interface, once it has addresses. */
  readonly outside: ResolvedInterface | undefined;
  readonly report: Report;
}

/** What miniupnpd takes for private as well, though a lab may use it as the internet (RFC 6890). */
const RESERVED = ["192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"].map(parseNetwork);

/** The protocols by which hosts may ask; none for most. */
export function resolvePortMapping({ name, entry, outside, report }: Mapper): ResolvedRouter["portMapping"] {
  if (typeof entry.nat !== "object") return [];
  const { portMapping = [] } = entry.nat;
  if (portMapping.length === 0) return [];
  const path = ["nodes", name, "nat", "portMapping"];
  if ((outside?.pool ?? []).length > 0 || [entry.wan].flat().length > 1)
    report("unsupported", path, "expected one outside address beside `portMapping`; found several; remove one", "key");
  const address = outside?.ipv4 === undefined ? undefined : withoutLength(outside.ipv4);
  if (address !== undefined && RESERVED.some((network) => contains(network, address))) {
    const message = `expected an outside address that is public, or private where requests shall be refused; found ${address}, which miniupnpd takes for private; give ${String(entry.wan)} another network, such as 11.22.33.0/24: a lab reaches nobody outside`;
    report("bad-address", path, message, "key");
  }
  return [...new Set(portMapping)];
}
