/** All rules of a router, in the order of loading. */

import type { RuleText } from "@testbed/agent/control";
import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { renderFirewall } from "./firewall.ts";
import { renderNat } from "./nat.ts";
import { renderPortMapping } from "./port-mapping.ts";
import { renderPrefixTranslation } from "./prefix-translation.ts";

/** Rule texts of a router: the firewall first, so that nothing passes before it is loaded. */
export function renderRules(router: ResolvedRouter): readonly RuleText[] {
  const tables = [renderNat(router), renderPortMapping(router), ...renderPrefixTranslation(router)].filter(
    (table) => table !== undefined,
  );
  return [
    { tool: "iptables", text: renderFirewall(router, 4) },
    { tool: "ip6tables", text: renderFirewall(router, 6) },
    ...(tables.length === 0 ? [] : [{ tool: "nft" as const, text: tables.join("\n") }]),
  ];
}
