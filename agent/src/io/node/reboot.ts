/** Reboots: a router loses its mappings and flows; no node forwards or answers anything meanwhile. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RuleText } from "../../control/messages.ts";
import { forgetFlows } from "../network/conntrack.ts";
import { loadRules } from "../network/rules.ts";

/**
 * Drops everything while loaded. Its priority is before connection tracking, so that no packet creates a flow
 * meanwhile, and before the chain that learns mappings.
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
 * Blocks the router, replaces the tables that hold its mappings, deletes every flow, and unblocks it after `downMs`.
 * Throws `bad-rules` or `setup-failed`.
 */
export async function rebootRouter(tables: readonly RuleText[], downMs: number): Promise<void> {
  await whileShut(async () => {
    await loadRules(tables);
    forgetFlows();
    if (downMs > 0) await sleep(downMs);
  });
}

/** Makes a change of a node that neither sends nor receives meanwhile, and for `downMs` longer. Throws `bad-rules`. */
export async function silently(downMs: number, change: () => void): Promise<void> {
  if (downMs === 0) {
    change();
    return;
  }
  await whileShut(async () => {
    await sleep(downMs);
    change();
  });
}

async function whileShut(work: () => Promise<void>): Promise<void> {
  await loadRules([{ tool: "nft", text: SHUT }]);
  await work();
  await loadRules([{ tool: "nft", text: OPEN }]);
}
