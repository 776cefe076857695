/** Resolves the static port forwards of a router. */

import type { IssuePath } from "../file/issue.ts";
import { listNames } from "../file/nearest-name.ts";
import type { RouterEntry } from "../file/schema.ts";
import { canonicalText, contains, isAddress, parseNetwork, withoutLength } from "../model/address-text.ts";
import type { PortForward } from "../model/resolved.ts";
import { hasNat } from "./attachment.ts";
import type { MiddleboxContext } from "./resolve-middlebox.ts";

type ForwardEntry = NonNullable<RouterEntry["forwards"]>[number];

/** The port forwards of a router; `insideNetworks` are the IPv4 networks of its inside segments. */
export function resolveForwards(context: MiddleboxContext, insideNetworks: readonly string[]): readonly PortForward[] {
  const { name, entry, report } = context;
  const forwards = entry.forwards ?? [];
  const path = ["nodes", name, "forwards"];
  if (forwards.length > 0 && !hasNat(entry)) {
    const message =
      "expected address translation (`nat`): without it every inside address is its own outside; use `pinholes` of the firewall";
    report("bad-value", path, message, "key");
  }
  const seen = new Set<string>();
  return forwards.flatMap((forward, i) => {
    const { protocol, port, toPort = port } = forward;
    const outside = `${protocol} ${port}`;
    if (seen.has(outside))
      report(
        "duplicate",
        [...path, i, "port"],
        `expected each outside port once; found ${protocol} ${port} again; remove one`,
      );
    seen.add(outside);
    const to = insideAddress(context, forward, [...path, i, "to"], insideNetworks);
    return to === undefined ? [] : [{ protocol, port, to, toPort }];
  });
}

/** The inside IPv4 address, given as such or as the name of its node. */
function insideAddress(
  { interfaces, report }: MiddleboxContext,
  { to }: ForwardEntry,
  path: IssuePath,
  insideNetworks: readonly string[],
): string | undefined {
  const node = interfaces.get(to);
  if (node === undefined && !isAddress(to, 4)) {
    const nodes = listNames([...interfaces.keys()]);
    report("unknown-reference", path, `expected a node or an IPv4 address; found "${to}"; nodes: ${nodes}`);
    return undefined;
  }
  const addresses =
    node === undefined ? [canonicalText(to)] : node.flatMap(({ ipv4 }) => ipv4 ?? []).map(withoutLength);
  const inside = addresses.find((address) => insideNetworks.some((text) => contains(parseNetwork(text), address)));
  if (inside === undefined && insideNetworks.length > 0) {
    const found = node === undefined ? to : `${to} (${addresses.join(", ") || "no IPv4 address"})`;
    report("bad-address", path, `expected a node inside, in ${insideNetworks.join(" or ")}; found ${found}`);
  }
  return inside;
}
