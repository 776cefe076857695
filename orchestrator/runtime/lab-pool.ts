/**
 * A runtime whose labs serve one run after the other. A run that asks for the segments and nodes of a lab whose nodes have
 * all come to an orderly end gets that lab: its middleboxes take other rules and forget everything, its nodes begin anew.
 */

import type { NodeSpec, SegmentSpec } from "../plan/plan.ts";
import type { DestroyReport, NodeHandle, RunIdentity, Runtime, RuntimeLab } from "./runtime.ts";
import { createStandingNode, type StandingNode } from "./standing-node.ts";

/**
 * Labs of `runtime`, which stand until `close`: never more than were in use at one time. What then cannot be removed is
 * told line by line, since no run is left to report it.
 */
export function poolLabs(runtime: Runtime, tellLeftover: (line: string) => void): Runtime {
  const vacant: StandingLab[] = [];
  const remove = async ({ lab }: StandingLab): Promise<void> => {
    for (const line of (await lab.destroy()).leftovers) tellLeftover(line);
  };
  const removals = new Set<Promise<void>>();
  const pool: Pool = {
    take(place) {
      const at = vacant.findIndex((standing) => standing.place === place && isVacant(standing));
      // Where none can be had, the lab that has waited longest makes room for the one that will be made.
      const [taken] = vacant.splice(Math.max(at, 0), 1);
      if (at !== -1 || taken === undefined) return taken;
      removals.add(remove(taken));
      return undefined;
    },
    give: (standing) => void vacant.push(standing),
  };
  return {
    ...runtime,
    createLab: (identity, signal) => createPooledLab({ runtime, identity, signal, pool }),
    async close() {
      await Promise.all([...removals, ...vacant.splice(0).map(remove)]);
      await runtime.close();
    },
  };
}

/** A lab that exists, and those of its nodes that have started. */
interface StandingLab {
  /** What of it is always the same, see `placeOf`. */
  readonly place: string;
  readonly lab: RuntimeLab;
  readonly nodes: Map<string, StandingNode>;
}

function isVacant({ nodes }: StandingLab): boolean {
  return [...nodes.values()].every((node) => node.isResting());
}

interface Pool {
  readonly take: (place: string) => StandingLab | undefined;
  readonly give: (standing: StandingLab) => void;
}

interface PooledLabParts {
  readonly runtime: Runtime;
  readonly identity: RunIdentity;
  readonly signal: AbortSignal;
  readonly pool: Pool;
}

/** Nothing is made before the nodes are known: they decide whether a lab stands that they can use. */
function createPooledLab({ runtime, identity, signal, pool }: PooledLabParts): RuntimeLab {
  let segments: readonly SegmentSpec[] = [];
  let specs: readonly NodeSpec[] = [];
  let standing: StandingLab | undefined;
  let isReusable = true;
  let destroyed: Promise<DestroyReport> | undefined;

  const inLab = (): StandingLab => {
    if (standing === undefined) throw new Error("the lab has no nodes yet");
    return standing;
  };
  const end = async (): Promise<DestroyReport> => {
    if (standing === undefined) return { leftovers: [] };
    const isWhole = standing.nodes.size === specs.length && isVacant(standing);
    if (!isReusable || !isWhole || signal.aborted) return standing.lab.destroy();
    pool.give(standing);
    return { leftovers: [] };
  };
  return {
    createSegments: (wanted) => {
      segments = [...segments, ...wanted];
      return Promise.resolve();
    },
    async createNodes(wanted) {
      if (standing !== undefined) throw new Error("expected all nodes of a lab at once");
      specs = wanted;
      isReusable &&= !wanted.some(hasImpairment);
      const place = placeOf(segments, wanted);
      standing = pool.take(place);
      if (standing !== undefined) return;
      const lab = runtime.createLab(identity, signal);
      standing = { place, lab, nodes: new Map() };
      await lab.createSegments(segments);
      await lab.createNodes(wanted);
    },
    async startNode(name): Promise<NodeHandle> {
      const { lab, nodes } = inLab();
      const spec = specs.find((candidate) => candidate.name === name);
      const stays = nodes.get(name);
      if (stays !== undefined && spec !== undefined) return stays.renew(spec.setup.rules);
      const started = createStandingNode(await lab.startNode(name));
      nodes.set(name, started);
      return started.first;
    },
    startProgram: (spec) => {
      isReusable = false;
      return inLab().lab.startProgram(spec);
    },
    keep: () => {
      isReusable = false;
      return inLab().lab.keep();
    },
    destroy: () => (destroyed ??= end()),
  };
}

/** The figures and the chance of a link's condition go on from one run to the next. */
function hasImpairment({ setup }: NodeSpec): boolean {
  return setup.interfaces.some(({ impairment }) => impairment !== undefined);
}

/** Everything about a lab but the rules of its middleboxes, as text. */
function placeOf(segments: readonly SegmentSpec[], specs: readonly NodeSpec[]): string {
  return JSON.stringify([segments, specs.map(({ setup, ...spec }) => [spec, { ...setup, rules: [] }])]);
}
