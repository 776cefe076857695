/**
 * A runtime that reuses labs. A run that wants the same segments and nodes as a released lab leases that lab: routers
 * load new rules and forget every flow, and all nodes start their protocol with new state.
 */

import type { AgentCommand } from "@testbed/agent/control";
import type { NodeSpec, SegmentSpec } from "../plan/plan.ts";
import type { DestroyReport, NodeHandle, RunIdentity, Runtime, RuntimeLab } from "./runtime.ts";

/**
 * Pools the labs of `runtime` until `close`, never more than were in use at one time. Leftovers of a removal go to
 * `tellLeftover` line by line, since no run is left to report them.
 */
export function poolLabs(runtime: Runtime, tellLeftover: (line: string) => void): Runtime {
  const vacant: PooledLab[] = [];
  const remove = async ({ lab }: PooledLab): Promise<void> => {
    for (const line of (await lab.destroy()).leftovers) tellLeftover(line);
  };
  const removals = new Set<Promise<void>>();
  const pool: Pool = {
    take(layout) {
      const at = vacant.findIndex((pooled) => pooled.layout === layout && isAlive(pooled));
      // If none fits, the lab that has been vacant longest is removed to make room for a new one.
      const [taken] = vacant.splice(Math.max(at, 0), 1);
      if (at !== -1 || taken === undefined) return taken;
      removals.add(remove(taken));
      return undefined;
    },
    put: (pooled) => void vacant.push(pooled),
  };
  return {
    ...runtime,
    createLab: (identity, signal) => leaseLab({ runtime, identity, signal, pool }),
    async close() {
      await Promise.all([...removals, ...vacant.splice(0).map(remove)]);
      await runtime.close();
    },
  };
}

/** A lab of the pool, with its started nodes. */
interface PooledLab {
  /** The part that never changes, see `layoutOf`. */
  readonly layout: string;
  readonly lab: RuntimeLab;
  readonly nodes: Map<string, PooledNode>;
}

/** A node of a pooled lab. */
interface PooledNode {
  readonly handle: NodeHandle;
  hasExited: boolean;
}

function isAlive({ nodes }: PooledLab): boolean {
  return [...nodes.values()].every(({ hasExited }) => !hasExited);
}

interface Pool {
  readonly take: (layout: string) => PooledLab | undefined;
  readonly put: (pooled: PooledLab) => void;
}

interface LeaseParts {
  readonly runtime: Runtime;
  readonly identity: RunIdentity;
  readonly signal: AbortSignal;
  readonly pool: Pool;
}

/** Leases a lab for one run. Nothing is made before the nodes are known: they decide which lab of the pool fits. */
function leaseLab({ runtime, identity, signal, pool }: LeaseParts): RuntimeLab {
  let segments: readonly SegmentSpec[] = [];
  let specs: readonly NodeSpec[] = [];
  let leased: PooledLab | undefined;
  let isReusable = true;
  let ended: Promise<DestroyReport> | undefined;

  const inLab = (): PooledLab => {
    if (leased === undefined) throw new Error("the lab has no nodes yet");
    return leased;
  };
  const destroy = (): Promise<DestroyReport> => (ended ??= leased?.lab.destroy() ?? Promise.resolve({ leftovers: [] }));
  return {
    createSegments: (wanted) => {
      segments = [...segments, ...wanted];
      return Promise.resolve();
    },
    async createNodes(wanted) {
      if (leased !== undefined) throw new Error("expected all nodes of a lab at once");
      specs = wanted;
      isReusable &&= !wanted.some(hasImpairment);
      const layout = layoutOf(segments, wanted);
      leased = pool.take(layout);
      if (leased !== undefined) return;
      const lab = runtime.createLab(identity, signal);
      leased = { layout, lab, nodes: new Map() };
      await lab.createSegments(segments);
      await lab.createNodes(wanted);
    },
    async startNode(name) {
      const { lab, nodes } = inLab();
      const spec = specs.find((candidate) => candidate.name === name);
      const reset = nodes.get(name);
      if (reset !== undefined && spec !== undefined) return reuse(reset, spec);
      const started = pooledNode(await lab.startNode(name));
      nodes.set(name, started);
      return started.handle;
    },
    startProgram: (spec, onOutput) => {
      isReusable = false;
      return inLab().lab.startProgram(spec, onOutput);
    },
    keep: () => {
      isReusable = false;
      return inLab().lab.keep();
    },
    destroy,
    release() {
      if (!isReusable || leased === undefined) return destroy();
      pool.put(leased);
      return (ended = Promise.resolve({ leftovers: [] }));
    },
  };
}

function pooledNode(handle: NodeHandle): PooledNode {
  const node: PooledNode = { handle: { ...handle, lines: resumable(handle.lines) }, hasExited: false };
  const exited = (): void => void (node.hasExited = true);
  handle.exited.then(exited, exited);
  return node;
}

function reuse(node: PooledNode, { setup }: NodeSpec): NodeHandle {
  const command: AgentCommand = { type: "reuse", rules: setup.rules };
  node.handle.forgetLog();
  node.handle.send(JSON.stringify(command));
  return node.handle;
}

/** The same lines, but a reader that stops leaves the rest to the next one. */
function resumable(lines: AsyncIterable<string>): AsyncIterable<string> {
  const iterator = lines[Symbol.asyncIterator]();
  // Without `return`, a loop that ends early does not end the lines.
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
}

/** Impaired links rule out reuse: their counters and random state would carry over from one run to the next. */
function hasImpairment({ setup }: NodeSpec): boolean {
  return setup.interfaces.some(({ impairment }) => impairment !== undefined);
}

/** Everything about a lab except the rules of its nodes, as text. */
function layoutOf(segments: readonly SegmentSpec[], specs: readonly NodeSpec[]): string {
  return JSON.stringify([segments, specs.map(({ setup, ...spec }) => [spec, { ...setup, rules: [] }])]);
}
