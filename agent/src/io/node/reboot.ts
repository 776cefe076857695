/** A middlebox that forgets: its mappings, its flows, and for a while its work. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RuleText } from "../../control/messages.ts";
import { forgetFlows } from "../network/conntrack.ts";
import { loadRules } from "../network/rules.ts";

/**
 * Nothing passes while this is loaded. In front of connection tracking, so that no packet of that time leaves a flow
 * behind, and in front of the chain that learns mappings.
 */
const SHUT = `table inet mice_shut {
  chain inward {
    type filter hook prerouting priority raw; policy drop;
  }
  chain outward {
    type filter hook postrouting priority raw; policy drop;
  }
}
`;
const OPEN = "delete table inet mice_shut\n";

/**
 * Shuts the middlebox, replaces the tables that hold its mappings, forgets every flow, and opens it again after `downMs`.
 * Throws `bad-rules` or `setup-failed`.
 */
export async function rebootRouter(tables: readonly RuleText[], downMs: number): Promise<void> {
  await loadRules([{ tool: "nft", text: SHUT }]);
  await loadRules(tables);
  forgetFlows();
  if (downMs > 0) await sleep(downMs);
  await loadRules([{ tool: "nft", text: OPEN }]);
}
