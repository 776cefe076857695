/** What a router's rules have counted. */

import type { RuleText } from "../../control/messages.ts";
import { run } from "../process/command.ts";

/** One counter in the output of `nft -json list counters`; only the fields read here. */
interface Listed {
  readonly counter?: { readonly name: string; readonly packets: number };
}

/** Packets by `nat.` and the name of their counter, all tables together; none where no rule counts. */
export async function ruleCounters(rules: readonly RuleText[]): Promise<Readonly<Record<string, number>>> {
  if (!rules.some(({ tool, text }) => tool === "nft" && /^ *counter \S+ \{/m.test(text))) return {};
  const { code, stdout } = await run("nft", ["-json", "list", "counters"]);
  return code === 0 ? countersOf(stdout) : {};
}

export function countersOf(json: string): Readonly<Record<string, number>> {
  // nft is part of the image, so its output has this shape.
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Listed[] };
  const total: Record<string, number> = {};
  for (const { counter } of nftables)
    if (counter !== undefined) total[`nat.${counter.name}`] = (total[`nat.${counter.name}`] ?? 0) + counter.packets;
  return total;
}
