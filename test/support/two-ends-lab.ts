/** The lab of two mobile nodes that scripts play, and a run of it. */

import type { RoleSetup } from "@testbed/agent/control";
import { expect } from "vitest";
import type { NodeEvent } from "../../orchestrator/lab/lab-event.ts";
import { labTimeouts } from "../../orchestrator/lab/lab-timeouts.ts";
import { type LabRequest, runLab } from "../../orchestrator/lab/run-lab.ts";
import type { Plan } from "../../orchestrator/plan/plan.ts";
import type { Runtime } from "../../orchestrator/runtime/runtime.ts";
import { TestbedError } from "../../orchestrator/support/errors.ts";
import { CN_HOME, MN_HOME, pairOf, TWO_ENDS } from "./lab-events.ts";
import { createScriptedRuntime, type NodeScript, obey, type ScriptedNode } from "./scripted-runtime.ts";

export const PAIR = pairOf("host", "host");

const ROLE: RoleSetup = {
  type: "mobile-node",
  homeAddress: MN_HOME,
  homeAgent: { address: "2001:db8:a::1", listen: [] },
  localAddresses: [],
  port: 40_000,
  profile: "ice16",
  timers: {},
  tunMtu: 1400,
  seed: "",
};

export const PLAN: Plan = {
  topology: "two-ends",
  segments: [{ name: "internet", interfaceName: "internet" }],
  nodes: ["mn", "cn"].map((name) => ({
    name,
    sysctls: {},
    tun: true,
    segments: ["internet"],
    setup: { version: 1, node: name, interfaces: [], routes: [], rules: [], hosts: [], capture: true, role: ROLE },
  })),
  programs: [],
  timeline: [],
};

/** Plays the whole flow as real nodes would. */
export function cooperative(onConnect: () => void = () => undefined): Record<"mn" | "cn", NodeScript> {
  let far: ScriptedNode | undefined;
  const nominate = (node: ScriptedNode, peer: string): void => {
    event(node, { type: "nominated", peer, pair: PAIR, afterMs: 1 });
    event(node, { type: "path", peer, path: "direct", pair: PAIR });
  };
  return {
    mn: {
      command(node, command) {
        if (command.type === "start") register(node, MN_HOME);
        if (command.type === "connect") {
          onConnect();
          event(node, { type: "offer-sent", peer: CN_HOME, candidates: [], isRestart: false });
          nominate(node, CN_HOME);
          if (far !== undefined) nominate(far, MN_HOME);
        }
        obey(node, command);
      },
    },
    cn: {
      command(node, command) {
        far = node;
        if (command.type === "start") register(node, CN_HOME);
        obey(node, command);
      },
    },
  };
}

export function register(node: ScriptedNode, homeAddress: string): void {
  const careOf = { ip: "198.18.0.11", port: 40_000 };
  event(node, { type: "registered", homeAddress, careOf, natDetected: false, lifetimeSec: 420 });
}

export function event(node: ScriptedNode, nodeEvent: NodeEvent): void {
  node.report({ type: "event", atMs: 0, event: nodeEvent });
}

export function request(runtime: Runtime, changes: Partial<LabRequest> = {}): LabRequest {
  return {
    runtime,
    identity: { runId: "run-1", topology: "two-ends", owner: { pid: 1, startTicks: "1", bootId: "b" } },
    topology: TWO_ENDS,
    plan: PLAN,
    probes: { probes: [], inbound: [], notProbed: [] },
    predictions: [],
    signal: new AbortController().signal,
    timeoutMs: 5000,
    timeouts: labTimeouts(1),
    keep: false,
    onEvent: () => undefined,
    ...changes,
  };
}

export async function failing(
  scripts: Record<string, NodeScript>,
  changes: Partial<LabRequest> = {},
): Promise<TestbedError> {
  const runtime = createScriptedRuntime(scripts);
  const record = await runLab(request(runtime, changes));
  await record.removal;
  expect(runtime.calls.at(-1)).toBe("destroy");
  expect(record.error).toBeInstanceOf(TestbedError);
  return record.error as TestbedError;
}
