import type { AgentCommand, NatObservation } from "@testbed/agent/control";
import { expect, test } from "vitest";
import type { LabRecord } from "../../../orchestrator/lab/lab-record.ts";
import { labTimeouts } from "../../../orchestrator/lab/lab-timeouts.ts";
import { runLab } from "../../../orchestrator/lab/run-lab.ts";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import { planProbes } from "../../../orchestrator/plan/probe-plan.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import type { ResolvedTopology } from "../../../orchestrator/topology/model/resolved.ts";
import { createScriptedRuntime, type NodeScript, obey } from "../../support/scripted-runtime.ts";
import { resolved } from "../topology/sample.ts";

const TOPOLOGY = resolved(`
name: t
summary: For a test
segments:
  internet: { ipv4: 198.18.0.0/24 }
  home: { ipv4: 192.168.1.0/24 }
nodes:
  stun: { role: stun-server, on: internet }
  middlebox: { role: router, wan: internet, lan: home, nat: full-cone }
  inside: { role: host, on: home, image: x }
`);
const AS_DECLARED = planProbes(TOPOLOGY).probes[0]?.expected ?? { type: "udp-blocked" as const };

/**
 * Runs a lab whose probes return these observations in turn, the last one repeatedly; also returns the probe commands.
 */
async function prove(seen: readonly NatObservation[], only?: "middleboxes" | "behaviour-and-lifetimes") {
  const asked: Extract<AgentCommand, { type: "probe" }>[] = [];
  const inside: NodeScript = {
    command(node, command) {
      if (command.type !== "probe") {
        obey(node, command);
        return;
      }
      const observation = seen[Math.min(asked.length, seen.length - 1)] ?? AS_DECLARED;
      asked.push(command);
      node.report({ type: "probed", id: command.id, observation });
    },
  };
  const runtime = createScriptedRuntime({ inside });
  const record = await runProbes(TOPOLOGY, runtime, only);
  return { record, asked, calls: runtime.calls };
}

async function runProbes(
  topology: ResolvedTopology,
  runtime: ReturnType<typeof createScriptedRuntime>,
  only?: "middleboxes" | "behaviour-and-lifetimes",
): Promise<LabRecord> {
  const record = await runLab({
    runtime,
    identity: { runId: "run-1", topology: "t", owner: { pid: 1, startTicks: "1", bootId: "b" } },
    topology,
    plan: buildPlan(topology, { capture: false }),
    probes: planProbes(topology),
    predictions: [],
    ...(only === undefined ? {} : { only }),
    signal: new AbortController().signal,
    timeoutMs: 5000,
    timeouts: labTimeouts(1),
    keep: false,
    onEvent: () => undefined,
  });
  await record.removal;
  return record;
}

function verificationOf({ events }: LabRecord) {
  return events.flatMap((event) => (event.type === "nat-verification" ? [event.verification] : []))[0];
}

test("a middlebox that is what it is declared to be is asked once, from ports of the plan", async () => {
  const { record, asked } = await prove([AS_DECLARED], "middleboxes");
  expect(record.error).toBeUndefined();
  expect(asked).toMatchObject([
    {
      local: "192.168.1.2",
      ports: [20000, 20001, 20002, 20003, 20004],
      server: { first: { ip: "198.18.0.2", port: 3478 }, second: { ip: "198.18.0.254", port: 3479 } },
    },
  ]);
  expect(verificationOf(record)).toMatchObject({ router: "middlebox", node: "inside", differences: [], attempts: 1 });
});

test("a middlebox that silence speaks against is asked again, from new ports and with more timeout", async () => {
  const { record, asked } = await prove([{ type: "udp-blocked" }, AS_DECLARED], "middleboxes");
  expect(record.error).toBeUndefined();
  expect(asked.map(({ ports }) => ports[0])).toEqual([20000, 20005]);
  expect(asked[1]?.waitMs).toBeGreaterThan(asked[0]?.waitMs ?? Number.POSITIVE_INFINITY);
  expect(verificationOf(record)).toMatchObject({ differences: [], attempts: 2 });
});

test("hosts of one LAN ask again together, from the same new ports: only there do they get in each other's way", async () => {
  const topology = resolved(`
name: t
summary: For a test
segments: { internet: { ipv4: 198.18.0.0/24 }, home: { ipv4: 192.168.1.0/24 } }
nodes:
  stun: { role: stun-server, on: internet }
  middlebox: { role: router, wan: internet, lan: home, nat: symmetric }
  one: { role: host, on: home, image: x }
  two: { role: host, on: home, image: x }
`);
  const asked: (readonly [string, number | undefined])[] = [];
  const scriptOf = (name: string, seen: readonly NatObservation[]): NodeScript => ({
    command(node, command) {
      if (command.type !== "probe") {
        obey(node, command);
        return;
      }
      const turn = asked.filter(([who]) => who === name).length;
      asked.push([name, command.ports[0]]);
      node.report({ type: "probed", id: command.id, observation: seen[turn] ?? AS_DECLARED });
    },
  });
  const expected = planProbes(topology).probes.map((probe) => probe.expected);
  const other = (seen: NatObservation | undefined): NatObservation =>
    seen?.type === "nat" ? { ...seen, mapped: { ...seen.mapped, port: 50_000 } } : AS_DECLARED;
  const runtime = createScriptedRuntime({
    one: scriptOf("one", [{ type: "udp-blocked" }, expected[0] ?? AS_DECLARED]),
    two: scriptOf("two", [other(expected[1]), other(expected[1])]),
  });
  const record = await runProbes(topology, runtime, "middleboxes");
  expect(record.error).toBeUndefined();
  for (const name of ["one", "two"])
    expect(asked.filter(([who]) => who === name).map(([, port]) => port)).toEqual([20_000, 20_005]);
});

test("a middlebox that goes on being silent is wrong in the end", async () => {
  const { record, asked } = await prove([{ type: "udp-blocked" }], "middleboxes");
  expect(asked).toHaveLength(4);
  expect(record.error).toMatchObject({ code: "behaviour-mismatch" });
});

test("a wrong middlebox ends the run before any check, as the lab's fault, and everything is removed", async () => {
  const observed = { ...AS_DECLARED, mapping: "address-and-port-dependent" } as const;
  const { record, asked, calls } = await prove([observed]);
  expect(asked).toHaveLength(1);
  expect(record.error).toBeInstanceOf(TestbedError);
  expect(record.error).toMatchObject({
    code: "behaviour-mismatch",
    exitCode: 3,
    message:
      "router middlebox declared mapping endpoint-independent, observed address-and-port-dependent (asked by inside on home over IPv4)",
  });
  expect(calls.at(-1)).toBe("destroy");
});

test("a run that only asks the middleboxes starts no foreign program", async () => {
  const { record, calls } = await prove([AS_DECLARED], "behaviour-and-lifetimes");
  expect(calls.filter((call) => call.startsWith("startGuest"))).toEqual([]);
  // The scripted node measures nothing, which counts as a wrong lifetime.
  expect(record.error).toMatchObject({
    code: "behaviour-mismatch",
    message: "router middlebox declared UDP lifetime 120 s, observed no answer to any question",
  });
});
