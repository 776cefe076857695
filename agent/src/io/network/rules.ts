/** Loads a node's rules into the kernel, each text through the standard input of its tool. */

import type { RuleText } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import { forgetFlows } from "./conntrack.ts";

type Tool = RuleText["tool"];

/** Without this option a tool first flushes the tables that a text names. */
const NO_FLUSH = "--noflush";

/**
 * Tables are not flushed: a Docker node also has the engine's rules in them. `-w`, where it exists, waits for the lock
 * of legacy iptables.
 */
const LOADERS: Readonly<Record<Tool, readonly [program: string, ...args: string[]]>> = {
  iptables: ["iptables-restore", NO_FLUSH, "-w", "5"],
  ip6tables: ["ip6tables-restore", NO_FLUSH, "-w", "5"],
  nft: ["nft", "-f", "-"],
};

/**
 * Loads every text: those of one tool in order, different tools in parallel, because each spends most of its time
 * waiting for the kernel (16 ms of wall time, 2 ms of CPU time). The kernel serializes their transactions, and the
 * tools retry when another one came between (1000 loads in 250 rounds, none failed). Throws `bad-rules` with the
 * offending line.
 */
export async function loadRules(rules: readonly RuleText[]): Promise<void> {
  await loadAll(rules.map((rule) => ({ ...rule, flushes: false })));
}

/**
 * Replaces the loaded rules, then deletes every flow that passed under the old ones. Nothing else changes. Throws
 * `bad-rules` with the offending line, and `setup-failed`.
 */
export async function replaceRules(before: readonly RuleText[], after: readonly RuleText[]): Promise<void> {
  await loadAll(replacing(before, after));
  if (before.length > 0) forgetFlows();
}

/** The filter table of a new network namespace. */
const OPEN_FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

/** A text, and whether the tables that it names are flushed first. */
interface Load extends RuleText {
  readonly flushes: boolean;
}

/** Our texts name only filter tables, which no engine uses, and our own nft tables, which replace themselves. */
function replacing(before: readonly RuleText[], after: readonly RuleText[]): readonly Load[] {
  const staying = tablesOf(after);
  const left = tablesOf(before).filter((table) => !staying.includes(table));
  const deletion = { tool: "nft", text: left.map((table) => `delete table ${table}\n`).join("") } as const;
  const filters = (["iptables", "ip6tables"] as const).flatMap((tool) => {
    const texts = after.filter((rule) => rule.tool === tool);
    return texts.length > 0 || !before.some((rule) => rule.tool === tool) ? texts : [{ tool, text: OPEN_FILTER }];
  });
  return [
    ...filters.map((rule, i) => ({ ...rule, flushes: filters[i - 1]?.tool !== rule.tool })),
    ...[deletion, ...after.filter(({ tool }) => tool === "nft")].map((rule) => ({ ...rule, flushes: false })),
  ].filter(({ text }) => text !== "");
}

/** Tables that nft texts define, such as `ip mice_nat`. */
function tablesOf(rules: readonly RuleText[]): readonly string[] {
  const texts = rules.filter(({ tool }) => tool === "nft").map(({ text }) => text);
  return texts.flatMap((text) => [...text.matchAll(/^table (\S+ \S+) \{/gm)].map(([, table = ""]) => table));
}

async function loadAll(loads: readonly Load[]): Promise<void> {
  const tools = [...new Set(loads.map(({ tool }) => tool))];
  await Promise.all(tools.map((tool) => loadInOrder(loads.filter((load) => load.tool === tool))));
}

async function loadInOrder(loads: readonly Load[]): Promise<void> {
  for (const { tool, text, flushes } of loads) {
    const [program, ...options] = LOADERS[tool];
    const args = flushes ? options.filter((option) => option !== NO_FLUSH) : options;
    const { code, stderr } = await run(program, args, text);
    if (code !== 0) {
      throw new NodeFailure("bad-rules", describeRefusal([program, ...args].join(" "), text, stderr));
    }
  }
}
