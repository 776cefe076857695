/** Finds the labs that a command's words name. */

import { listOwners } from "../../owner/socket-path.ts";
import type { ExistingLabs, LabSummary } from "../../runtime/runtime.ts";
import type { RuntimeChoice } from "../../runtime/runtime-name.ts";
import { TestbedError } from "../../support/errors.ts";
import { existingLabs } from "../create-runtime.ts";

/** What labs are called by. */
type NamedLab = Pick<LabSummary, "runId" | "topology">;

/** A lab that is told from those of runs: made by `testbed up`, or kept. */
interface UsableLab extends LabSummary {
  readonly isForUse: boolean;
}

/** A lab, and what reaches it. */
export interface FoundLab extends UsableLab {
  readonly labs: ExistingLabs;
}

/**
 * Every lab of this machine, or of one runtime, until one is `isWanted`. What reaches them is closed when `use` has ended.
 */
export async function withLabs<T>(
  choice: RuntimeChoice,
  use: (found: readonly FoundLab[]) => Promise<T>,
  isWanted: (lab: LabSummary) => boolean = () => false,
): Promise<T> {
  const owned = new Set(listOwners().map(({ runId }) => runId));
  const opened: ExistingLabs[] = [];
  const found: FoundLab[] = [];
  try {
    for await (const labs of existingLabs(choice)) {
      opened.push(labs);
      for (const lab of await labs.listLabs())
        found.push({ ...lab, labs, isForUse: lab.isKept || owned.has(lab.runId) });
      if (found.some(isWanted)) break;
    }
    return await use(found);
  } finally {
    for (const labs of opened) await labs.close();
  }
}

/** A node of a lab, and the words after it. */
export interface Target<Lab> {
  readonly lab: Lab;
  readonly node: string;
  readonly rest: readonly string[];
}

/** Finds what `[lab] <node> [word…]` names, see `readTarget`. A lab named in full is not looked for any further. */
export async function withTarget<T>(
  words: readonly string[],
  use: (target: Target<FoundLab>) => Promise<T>,
): Promise<T> {
  const [name = "", node = ""] = words;
  const isNamed = ({ runId, topology, nodes }: LabSummary): boolean =>
    (runId === name || topology === name) && nodes.includes(node);
  return withLabs("auto", (labs) => use(readTarget(labs, words)), isNamed);
}

/**
 * Reads `[lab] <node> [word…]`; a `--` before the words is left out. A lab is named by its run id or topology, or the
 * beginning of either; without a name it is the only one that has such a node, runs' labs not counted where there are
 * others. Throws `bad-usage` where the words name no node, or nodes of several labs.
 */
export function readTarget<Lab extends UsableLab>(labs: readonly Lab[], words: readonly string[]): Target<Lab> {
  const [first = "", second = ""] = words;
  const named = labsCalled(labs, first).filter(({ nodes }) => nodes.includes(second));
  const having = labs.filter(({ nodes }) => nodes.includes(first));
  const forUse = having.filter(({ isForUse }) => isForUse);
  const candidates = [named, forUse, having].find(({ length }) => length > 0) ?? [];
  const [lab] = candidates;
  if (lab === undefined || candidates.length > 1) throw noTarget(labs, candidates, first, second);
  const [node, rest] = named.length > 0 ? [second, words.slice(2)] : [first, words.slice(1)];
  return { lab, node, rest: rest[0] === "--" ? rest.slice(1) : rest };
}

function noTarget(
  labs: readonly LabSummary[],
  candidates: readonly LabSummary[],
  first: string,
  second: string,
): TestbedError {
  if (labs.length === 0) return new TestbedError("bad-usage", "there is no lab on this machine", { hint: MAKE_ONE });
  if (candidates.length > 1) {
    return new TestbedError("bad-usage", `expected one lab, and the words before the command fit several`, {
      hint: `begin with one of ${runIds(candidates)}`,
    });
  }
  const [lab] = labsCalled(labs, first);
  if (lab === undefined) {
    return new TestbedError("bad-usage", `no lab and no node of a lab is called ${first}`, {
      hint: `labs on this machine: ${runIds(labs)}`,
    });
  }
  const found = second === "" ? `expected a node after ${first}` : `${lab.runId} has no node ${second}`;
  return new TestbedError("bad-usage", found, { hint: `its nodes are ${lab.nodes.join(", ")}` });
}

const MAKE_ONE = "testbed up <topology> makes one";

/**
 * The lab of that name, or the only one. Throws `bad-usage` where there is none, or several.
 */
export function chooseLab<Lab extends NamedLab>(labs: readonly Lab[], name: string | undefined): Lab {
  const named = name === undefined ? labs : labsCalled(labs, name);
  const [lab] = named;
  if (lab !== undefined && named.length === 1) return lab;
  if (labs.length === 0) {
    throw new TestbedError("bad-usage", "there is no lab on this machine", { hint: MAKE_ONE });
  }
  const found =
    name === undefined
      ? "expected the name of a lab"
      : named.length === 0
        ? `no lab is called ${name}`
        : `${name} means several labs`;
  throw new TestbedError("bad-usage", found, { hint: `labs on this machine: ${runIds(labs)}` });
}

function labsCalled<Lab extends NamedLab>(labs: readonly Lab[], name: string): readonly Lab[] {
  const exact = labs.filter(({ runId, topology }) => runId === name || topology === name);
  if (exact.length > 0) return exact;
  return labs.filter(({ runId, topology }) => runId.startsWith(name) || topology.startsWith(name));
}

function runIds(labs: readonly NamedLab[]): string {
  return labs.map(({ runId }) => runId).join(", ");
}
