import type { AgentCommand, ImpairedLink } from "@testbed/agent/control";
import { expect, test } from "vitest";
import { runLab } from "../../../orchestrator/lab/run-lab.ts";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import { createScriptedRuntime, type NodeScript, obey, sayReady } from "../../support/scripted-runtime.ts";
import { request } from "../../support/two-ends-lab.ts";
import { HOME_AGENTS, resolved, topologyText } from "../topology/sample.ts";

const topologyWith = (links: string) =>
  resolved(
    topologyText({
      nodes: `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }, cn: { role: correspondent-node, on: internet, homeAgent: ha-b }`,
      rest: `links: { ${links} }\nsessions: [{ from: mn, to: cn }]`,
    }),
  );

const careOf = { ip: "198.18.0.4", port: 40_000 };

/** Runs the flow with ends that register and fail to connect; returns every command that `mn` received. */
async function commandsUnder(links: string, script: NodeScript = {}) {
  const topology = topologyWith(links);
  const commands: AgentCommand[] = [];
  const end: NodeScript = {
    command(node, command) {
      if (node.name === "mn") commands.push(command);
      const homeAddress = node.name === "mn" ? "2001:db8:a::100" : "2001:db8:b::100";
      if (command.type === "start")
        node.report({
          type: "event",
          atMs: 0,
          event: { type: "registered", homeAddress, careOf, natDetected: false, lifetimeSec: 9 },
        });
      if (command.type === "connect")
        node.report({
          type: "event",
          atMs: 0,
          event: { type: "session-failed", peer: command.peer, reason: "no pair" },
        });
      (script.command ?? obey)(node, command);
    },
    ...(script.start === undefined ? {} : { start: script.start }),
  };
  const plan = buildPlan(topology, { capture: false });
  const record = await runLab(request(createScriptedRuntime({ mn: end, cn: end }), { topology, plan }));
  await record.removal;
  expect(record.error).toBeUndefined();
  return { commands, events: record.events };
}

test.each([
  ["", 1000],
  // Round trip, counted twice for a link that both ends use.
  ["mn/internet: { delay: 250ms }, cn/internet: { delay: 250ms }", 3000],
])("under links { %s } an answer may take %i ms", async (links, timeoutMs) => {
  const { commands } = await commandsUnder(links);
  expect(commands.filter(({ type }) => type === "ping" || type === "echo")).toMatchObject([
    { timeoutMs },
    { timeoutMs },
    { timeoutMs },
  ]);
});

test("what nodes say of their links is recorded: who makes the conditions, and at the end what became of packets", async () => {
  const link: ImpairedLink = { segment: "internet", direction: "out", applied: "netem" };
  const figures = { ...link, counters: { delivered: 3, lost: 1 } };
  const clock = { monotonicMs: 0, realMs: 0 };
  const { events } = await commandsUnder("mn/internet: { out: { loss: 1% } }", {
    start(node) {
      if (node.name !== "mn") {
        sayReady(node);
        return;
      }
      node.report({ type: "hello", version: 1, pid: 1, nodeVersion: "v24.0.0", clock });
      node.report({ type: "ready", links: [link] });
    },
    command(node, command) {
      if (node.name !== "mn" || command.type !== "finish") {
        obey(node, command);
        return;
      }
      node.report({ type: "bye", clock, counters: {}, links: [figures] });
      node.exit(0);
    },
  });
  expect(events.flatMap((event) => (event.type === "links" ? [[event.node, event.links]] : []))).toEqual([
    ["mn", [link]],
    ["mn", [figures]],
  ]);
});
