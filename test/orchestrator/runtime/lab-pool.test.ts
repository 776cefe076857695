import type { AgentCommand } from "@testbed/agent/control";
import { expect, test } from "vitest";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import type { NodeSpec, Plan } from "../../../orchestrator/plan/plan.ts";
import { poolLabs } from "../../../orchestrator/runtime/lab-pool.ts";
import type { NodeHandle, Runtime, RuntimeLab } from "../../../orchestrator/runtime/runtime.ts";
import { planCell } from "../../../orchestrator/topology/matrix/cells.ts";
import { MATRIX_MIDDLEBOXES } from "../../../orchestrator/topology/matrix/matrix-middlebox.ts";
import { createScriptedRuntime, type NodeScript, obey, sayReady } from "../../support/scripted-runtime.ts";

const never = new AbortController().signal;
const identity = { runId: "run", topology: "t", owner: { pid: 1, startTicks: "1", bootId: "b" } };

function planOf(mn: string, cn: string): Plan {
  const [a, b] = [mn, cn].map((name) => MATRIX_MIDDLEBOXES.find((middlebox) => middlebox.name === name));
  if (a === undefined || b === undefined) throw new Error(`no middlebox ${mn} or ${cn}`);
  return buildPlan(planCell(a, b, "mn").topology, { capture: false });
}

/** A node that can be reset and reused, like the agent. */
const reusable: NodeScript = {
  command(node, command: AgentCommand) {
    if (command.type === "reuse") {
      node.logLine("reused");
      sayReady(node);
    } else if (command.type === "reset") {
      node.report({ type: "bye", clock: { monotonicMs: 0, realMs: 0 }, counters: {} });
    } else obey(node, command);
  },
};

function reusableRuntime(specs: readonly NodeSpec[]) {
  return createScriptedRuntime(Object.fromEntries(specs.map(({ name }) => [name, reusable])));
}

function fail(line: string): never {
  throw new Error(line);
}

/** Creates a lab and starts its nodes. */
async function startLab(runtime: Runtime, plan: Plan): Promise<{ lab: RuntimeLab; handles: readonly NodeHandle[] }> {
  const lab = runtime.createLab(identity, never);
  await lab.createSegments(plan.segments);
  await lab.createNodes(plan.nodes);
  return { lab, handles: await Promise.all(plan.nodes.map(({ name }) => lab.startNode(name))) };
}

/** Resets the nodes as a run does; returns the types of their reports in order, each distinct list once. */
async function resetAll(handles: readonly NodeHandle[]): Promise<readonly string[]> {
  const reported = await Promise.all(
    handles.map(async (handle) => {
      handle.send('{"type":"reset"}');
      const types: string[] = [];
      for await (const line of handle.lines) {
        types.push((JSON.parse(line) as { type: string }).type);
        if (types.at(-1) === "bye") break;
      }
      return types.join(" ");
    }),
  );
  return [...new Set(reported)];
}

test("a run with other rules for the same middleboxes gets the lab of an earlier one, and its nodes begin anew", async () => {
  const [first, second] = [planOf("eim-eif", "eim-adf"), planOf("apdm-apdf", "symmetric")];
  const inner = reusableRuntime(first.nodes);
  const runtime = poolLabs(inner, fail);
  for (const plan of [first, second]) {
    const { lab, handles } = await startLab(runtime, plan);
    expect(await resetAll(handles)).toEqual(["hello ready bye"]);
    await lab.release?.();
  }
  expect(inner.calls.filter((call) => call.startsWith("createNodes"))).toHaveLength(1);
  expect(inner.calls.filter((call) => call.startsWith("startNode"))).toHaveLength(first.nodes.length);
  expect(inner.calls).not.toContain("destroy");
  await runtime.close();
  expect(inner.calls.slice(-2)).toEqual(["destroy", "close"]);
});

test("a run's log is its own", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  const runtime = poolLabs(reusableRuntime(plan.nodes), fail);
  const logs: (string | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const { lab, handles } = await startLab(runtime, plan);
    await resetAll(handles);
    await lab.release?.();
    logs.push(handles[0]?.log());
  }
  expect(logs).toEqual(["", "reused\n", "reused\n"]);
});

test.each([
  ["with other segments", "eim-eif", "none"],
  ["with other kernel parameters", "eim-eif", "corporate"],
])("a run %s gets a lab of its own, in place of one that waits", async (_what, one, other) => {
  const plans = [planOf(one, one), planOf(other, one)];
  const inner = reusableRuntime(plans[0]?.nodes ?? []);
  const runtime = poolLabs(inner, fail);
  for (const plan of plans) {
    const { lab, handles } = await startLab(runtime, plan);
    await resetAll(handles);
    await lab.release?.();
  }
  expect(inner.calls.filter((call) => call.startsWith("createNodes"))).toHaveLength(2);
  expect(inner.calls.filter((call) => call === "destroy")).toHaveLength(1);
});

test("a lab whose links have conditions is nobody's after its run", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  const impairment = { via: "user-space", out: { delayMs: 1 }, seed: "00" } as const;
  const nodes = plan.nodes.map((spec) => {
    const interfaces = spec.setup.interfaces.map((iface) => ({ ...iface, impairment }));
    return { ...spec, setup: { ...spec.setup, interfaces } };
  });
  const inner = reusableRuntime(plan.nodes);
  const { lab, handles } = await startLab(poolLabs(inner, fail), { ...plan, nodes });
  await resetAll(handles);
  await lab.release?.();
  expect(inner.calls).toContain("destroy");
});

test("what cannot be removed in the end is told", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  const inner = reusableRuntime(plan.nodes);
  const told: string[] = [];
  const stuck: Runtime = {
    ...inner,
    createLab: (...args) => ({
      ...inner.createLab(...args),
      destroy: () => Promise.resolve({ leftovers: ["network n"] }),
    }),
  };
  const runtime = poolLabs(stuck, (line) => void told.push(line));
  const { lab, handles } = await startLab(runtime, plan);
  await resetAll(handles);
  expect(await lab.release?.()).toEqual({ leftovers: [] });
  await runtime.close();
  expect(told).toEqual(["network n"]);
});

test("labs at once are never the same", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  const inner = reusableRuntime(plan.nodes);
  const runtime = poolLabs(inner, fail);
  await Promise.all([startLab(runtime, plan), startLab(runtime, plan)]);
  expect(inner.calls.filter((call) => call.startsWith("createNodes"))).toHaveLength(2);
});

test("a lab that is destroyed in place of released is removed, and once", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  const inner = reusableRuntime(plan.nodes);
  const { lab, handles } = await startLab(poolLabs(inner, fail), plan);
  await resetAll(handles.slice(1));
  await lab.destroy();
  await lab.destroy();
  expect(inner.calls.filter((call) => call === "destroy")).toHaveLength(1);
});

test("a lab whose node has ended while nobody used it is removed, and another one made", async () => {
  const plan = planOf("eim-eif", "eim-eif");
  let end: () => void = () => undefined;
  const dying: NodeScript = {
    ...reusable,
    start(node) {
      end = () => node.exit(137);
      sayReady(node);
    },
  };
  const scripts = Object.fromEntries(plan.nodes.map(({ name }) => [name, name === "mn" ? dying : reusable]));
  const inner = createScriptedRuntime(scripts);
  const runtime = poolLabs(inner, fail);
  const { lab, handles } = await startLab(runtime, plan);
  await resetAll(handles);
  await lab.release?.();
  end();
  await new Promise((resolve) => setImmediate(resolve));
  await startLab(runtime, plan);
  expect(inner.calls.filter((call) => call.startsWith("createNodes"))).toHaveLength(2);
  expect(inner.calls).toContain("destroy");
});
