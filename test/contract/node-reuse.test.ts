/** Nodes that are reset and reused, in network namespaces with the real bundle. */

import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { AgentReport, NodeSetup, RoleSetup, RuleText } from "../../agent/src/control/index.ts";
import { needs } from "../support/needs.ts";
import type { AgentProcess } from "./node-process/agent-process.ts";
import { homeAgentRole, mobileNodeRole, setupOf } from "./node-process/setups.ts";
import { buildBundleUnderTest, createWorld, type World } from "./node-process/world.ts";

const { test } = await needs("netns");

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
let world: World;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  world = await createWorld(bundle.entry);
});
afterEach(() => world.end());

async function startNode(number: number, change: Partial<NodeSetup>): Promise<AgentProcess> {
  await world.addNode(`n${number}`, [{ interfaceName: "eth0", bridge: "segment" }]);
  const agent = world.startAgent(`n${number}`, { setup: setupOf(number, change) });
  await agent.report("ready");
  return agent;
}

/** Waits until the agent has sent this many reports of a type. */
async function untilReports(agent: AgentProcess, type: AgentReport["type"], count: number): Promise<void> {
  await expect.poll(() => agent.reports.filter((report) => report.type === type).length, { timeout: 5000 }).toBe(count);
}

/** Resets the agent and starts it again. */
async function resetAndReuse(agent: AgentProcess, rules: readonly RuleText[] = []): Promise<void> {
  const ended = agent.reports.filter(({ type }) => type === "bye").length;
  agent.send({ type: "reset" });
  await untilReports(agent, "bye", ended + 1);
  agent.send({ type: "reuse", rules });
  await untilReports(agent, "ready", ended + 2);
}

const router: RoleSetup = { type: "router" };
const filter = (port: number): string =>
  `*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp --dport ${port} -j ACCEPT\nCOMMIT\n`;
const table = (name: string): string => `table ip ${name} {\n  chain c {\n  }\n}\n`;

test("a middlebox gets other rules in place of its own and keeps nothing of them", async () => {
  const before = [
    { tool: "iptables", text: filter(1) },
    { tool: "ip6tables", text: filter(1) },
    { tool: "nft", text: table("old") },
  ] as const;
  const agent = await startNode(1, { role: router, rules: before });
  await world.shIn("n1", "iptables -t nat -N DOCKER_OUTPUT");
  await resetAndReuse(agent, [
    { tool: "iptables", text: filter(2) },
    { tool: "nft", text: table("new") },
  ]);

  const ipv4 = await world.shIn("n1", "iptables-save");
  expect(ipv4).toContain("-A FORWARD -p udp -m udp --dport 2 -j ACCEPT");
  expect(ipv4).not.toContain("--dport 1 ");
  expect(ipv4).toContain(":DOCKER_OUTPUT");
  expect(await world.shIn("n1", "ip6tables-save")).not.toMatch(/DROP|--dport/);
  const tables = await world.shIn("n1", "nft list tables");
  expect(tables).toContain("table ip new");
  expect(tables).not.toContain("table ip old");
});

test("a middlebox forgets the flows that passed under its earlier rules", async () => {
  const tracked: RuleText = {
    tool: "nft",
    text: "table ip t {\n  chain c {\n    type filter hook output priority 0;\n    ct state new accept;\n  }\n}\n",
  };
  const agent = await startNode(1, { role: router, rules: [tracked] });
  await startNode(2, { role: { type: "host" } });
  const flows = (): Promise<string> => world.shIn("n1", "cat /proc/sys/net/netfilter/nf_conntrack_count");
  agent.send({ type: "echo", id: 1, to: "198.18.0.2", count: 1, intervalMs: 1, sizeBytes: 8, timeoutMs: 50 });
  await agent.report("reply");
  expect(Number(await flows())).toBeGreaterThan(0);
  await resetAndReuse(agent);
  expect(Number(await flows())).toBe(0);
});

test("mobile node and home agent begin anew, on the same TUN devices", async () => {
  const mobile = mobileNodeRole("a", 1, 2);
  const agent = await startNode(2, { role: homeAgentRole("a", 2) });
  const node = await startNode(1, { role: mobile });
  const registrations = (): number =>
    node.reports.filter((report) => report.type === "event" && report.event.type === "registered").length;
  await expect.poll(registrations, { timeout: 5000 }).toBe(1);
  const device = await world.shIn("n1", "cat /sys/class/net/tun0/ifindex");

  for (const each of [node, agent]) {
    each.send({ type: "reset" });
    await untilReports(each, "bye", 1);
  }
  agent.send({ type: "reuse", rules: [] });
  await untilReports(agent, "ready", 2);
  node.send({ type: "reuse", rules: [] });
  await expect.poll(registrations, { timeout: 5000 }).toBe(2);

  expect(await world.shIn("n1", "cat /sys/class/net/tun0/ifindex")).toBe(device);
  expect(node.reports.filter(({ type }) => type === "hello")).toHaveLength(2);
  // Packets that cross the tunnel return: the device is read after the reuse.
  node.send({ type: "ping", id: 7, to: "2001:db8:a::1", count: 3, intervalMs: 10, timeoutMs: 1000 });
  expect((await node.report("reply")).result.received).toBe(3);
});

test("counters are those of one life", async () => {
  const role = mobileNodeRole("a", 1, 2);
  const agent = await startNode(1, { role, startsOn: "command" });
  await resetAndReuse(agent);
  agent.send({ type: "finish" });
  await agent.exited;
  const byes = agent.reports.flatMap((report) => (report.type === "bye" ? [report.counters["tun.read"] ?? -1] : []));
  expect(byes).toHaveLength(2);
  expect(byes.every((count) => count >= 0)).toBe(true);
});

test("a node at work is not reused", async () => {
  const agent = await startNode(1, { role: router });
  agent.send({ type: "reuse", rules: [] });
  expect((await agent.report("fatal")).message).toBe(
    "expected a node that was reset before it is reused, found one at work",
  );
});

test("a node that was reset ends when it is told to, and with the orchestrator", async () => {
  const [first, second] = await Promise.all([startNode(1, { role: router }), startNode(2, { role: router })]);
  for (const agent of [first, second]) {
    agent.send({ type: "reset" });
    await untilReports(agent, "bye", 1);
  }
  first.send({ type: "finish" });
  second.closeInput();
  expect(await Promise.all([first.exited, second.exited])).toEqual([0, 0]);
});
