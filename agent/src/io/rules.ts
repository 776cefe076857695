/** Loads a node's rule texts into the kernel, each through the standard input of its own tool. */

import type { RuleText } from "../control/messages.ts";
import { run } from "./command.ts";
import { NodeFailure } from "./failure.ts";
import { describeRefusal } from "./rule-errors.ts";

/**
 * Tables are never flushed: inside a Docker node the engine's own rules live beside ours. `-w`, where it exists, waits
 * for the lock of legacy iptables.
 */
const LOADERS: Readonly<Record<RuleText["tool"], readonly [program: string, ...args: string[]]>> = {
  iptables: ["iptables-restore", "--noflush", "-w", "5"],
  ip6tables: ["ip6tables-restore", "--noflush", "-w", "5"],
  nft: ["nft", "-f", "-"],
};

/**
 * Loads every text. Texts of one tool go in order; `nft` goes first and alone, because it gives up when another
 * transaction comes between, while both iptables tools try again and spend most of their time waiting.
 * Throws `bad-rules` with the offending line.
 */
export async function loadRules(rules: readonly RuleText[]): Promise<void> {
  await loadInOrder(rules, "nft");
  await Promise.all([loadInOrder(rules, "iptables"), loadInOrder(rules, "ip6tables")]);
}

async function loadInOrder(rules: readonly RuleText[], tool: RuleText["tool"]): Promise<void> {
  const [program, ...args] = LOADERS[tool];
  for (const { text } of rules.filter((rule) => rule.tool === tool)) {
    const { code, stderr } = await run(program, args, text);
    if (code !== 0) {
      throw new NodeFailure("bad-rules", describeRefusal([program, ...args].join(" "), text, stderr));
    }
  }
}
