/** All rules of a router, in the order of loading. */

import type { RuleText } from "@testbed/agent/control";
import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { renderFirewall } from "./firewall.ts";
import { renderNat } from "./nat.ts";
import { renderTcpNat } from "./nat-tcp.ts";
import { renderOutsideChoice } from "./outside-choice.ts";
import { renderPortMapping } from "./port-mapping.ts";
import { renderPrefixTranslation } from "./prefix-translation.ts";

/** Rule texts of a router: the firewall first, so that nothing passes before it is loaded. */
export function renderRules(router: ResolvedRouter): readonly RuleText[] {
  const tables = [...renderNatTables(router), ...renderPrefixTranslation(router)];
  return [
    { tool: "iptables", text: renderFirewall(router, 4) },
    { tool: "ip6tables", text: renderFirewall(router, 6) },
    ...(tables.length === 0 ? [] : [{ tool: "nft" as const, text: tables.join("\n") }]),
  ];
}

/**
 * The tables of a NAT: for UDP, for TCP, for the choice of an outside address, and for ports mapped by request; none
 * without NAT.
 */
export function renderNatTables(router: ResolvedRouter): readonly string[] {
  return [renderNat(router), renderTcpNat(router), renderOutsideChoice(router), renderPortMapping(router)].filter(
    (table) => table !== undefined,
  );
}
