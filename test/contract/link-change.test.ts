/** Impairments of a link that change during a run, by netem where the kernel has it, and in user space. */

import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { AgentCommand, AgentReport, TrafficResult } from "../../agent/src/control/index.ts";
import { needs } from "../support/needs.ts";
import type { AgentProcess } from "./node-process/agent-process.ts";
import { setupOf } from "./node-process/setups.ts";
import { buildBundleUnderTest, createWorld, type World } from "./node-process/world.ts";

const { describe, test } = await needs("netns");

type Change = Extract<AgentCommand, { readonly type: "impair-link" }>;

/** A node with one link that may change, and another node on the same segment. */
interface Link {
  readonly world: World;
  readonly agent: AgentProcess;
  readonly ready: Extract<AgentReport, { readonly type: "ready" }>;
  /** Resolves when the impairments are in force. */
  readonly change: (impairments: Pick<Change, "out" | "in">) => Promise<void>;
  /** Pings over the link and waits this long for the last answer. */
  readonly ping: (count: number, timeoutMs?: number) => Promise<TrafficResult>;
}

const BROKEN = { out: { lossRate: 1 }, in: { lossRate: 1 } };
const NOTHING = { out: {}, in: {} };

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
/** A directory with a `tc` that always fails, as where the kernel has no netem. */
let withoutNetem: string;
let world: World;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
  withoutNetem = await mkdtemp(join(tmpdir(), "mice-tc-"));
  const tc = join(withoutNetem, "tc");
  await writeFile(tc, "#!/bin/sh\necho 'Error: Specified qdisc kind is unknown.' >&2\nexit 1\n");
  await chmod(tc, 0o755);
});
afterAll(async () => {
  await Promise.all([bundle.remove(), rm(withoutNetem, { recursive: true, force: true })]);
});
beforeEach(async () => {
  world = await createWorld(bundle.entry);
});
afterEach(() => world.end());

async function startLink(environment: Readonly<Record<string, string>>): Promise<Link> {
  for (const node of ["n1", "n2"]) await world.addNode(node, [{ interfaceName: "eth0", bridge: "segment" }]);
  const plain = setupOf(1);
  const interfaces = plain.interfaces.map((iface) => ({ ...iface, impairment: { ...NOTHING, seed: "00000001" } }));
  const agent = world.startAgent("n1", { setup: { ...plain, interfaces }, environment });
  const [ready] = await Promise.all([
    agent.report("ready"),
    world.startAgent("n2", { setup: setupOf(2) }).report("ready"),
  ]);
  let id = 0;
  return {
    world,
    agent,
    ready,
    async change(impairments) {
      id += 1;
      agent.send({ type: "impair-link", id, segment: "net", ...impairments });
      await agent.answer("done", id);
    },
    async ping(count, timeoutMs = 5000) {
      id += 1;
      agent.send({ type: "ping", id, to: "198.18.0.2", count, intervalMs: 5, timeoutMs });
      return (await agent.answer("reply", id)).result;
    },
  };
}

describe.each([
  { maker: "whoever the kernel allows", environment: () => ({}), applied: ["netem", "user-space"] },
  {
    maker: "the node's own process",
    environment: () => ({ PATH: `${withoutNetem}:${process.env["PATH"] ?? ""}` }),
    applied: ["user-space"],
  },
])("a link made by $maker", ({ environment, applied }) => {
  test("breaks and mends, each direction by itself, and counts over all of its conditions", async () => {
    const { agent, ready, change, ping } = await startLink(environment());
    for (const link of ready.links ?? []) expect(applied).toContain(link.applied);
    expect((await ping(3)).received).toBe(3);
    for (const impairments of [BROKEN, { out: {}, in: { lossRate: 1 } }]) {
      await change(impairments);
      expect((await ping(3, 100)).received).toBe(0);
    }
    await change(NOTHING);
    expect((await ping(3)).received).toBe(3);
    agent.send({ type: "finish" });
    const { links = [] } = await agent.report("bye");
    const [out, inbound] = links.map(({ counters }) => counters);
    // Besides the pings there are neighbour solicitations.
    expect(out?.["lost"]).toBeGreaterThanOrEqual(3);
    expect(out?.["delivered"]).toBeGreaterThanOrEqual(9);
    expect(inbound?.["lost"]).toBeGreaterThanOrEqual(3);
    expect(inbound?.["delivered"]).toBeGreaterThanOrEqual(6);
  });

  test("delays by what it was told last", async () => {
    const { change, ping } = await startLink(environment());
    for (const [out, inbound] of [
      [40, 20],
      [30, 90],
    ] as const) {
      await change({ out: { delayMs: out }, in: { delayMs: inbound } });
      const { received, rttMs } = await ping(3);
      expect(received).toBe(3);
      expect(Math.min(...rttMs.map((rtt) => rtt ?? 0))).toBeGreaterThanOrEqual(out + inbound);
    }
  });

  test("delivers what was on its way when it broke", async () => {
    const { change, ping } = await startLink(environment());
    await ping(1);
    const script = `const socket = require("node:dgram").createSocket("udp4");
      socket.on("message", (message) => { console.log(String(message)); process.exit(); });
      socket.bind(7000, () => console.log("ready"));`;
    const receiver = world.spawnIn("n2", [process.execPath, "-e", script]);
    await once(receiver.stdout, "data");
    await change({ out: { delayMs: 1000 }, in: {} });
    await world.shIn("n1", "bash -c 'printf under-way > /dev/udp/198.18.0.2/7000'");
    // Once the node has answered another request, it has seen everything sent before.
    await change({ out: { delayMs: 1000 }, in: {} });
    await change(BROKEN);
    const [message] = (await once(receiver.stdout, "data")) as [Buffer];
    expect(String(message)).toBe("under-way\n");
  });
});

test("a link that was made without conditions cannot be given any, and the node says so", async () => {
  await world.addNode("n1", [{ interfaceName: "eth0", bridge: "segment" }]);
  const agent = world.startAgent("n1", { setup: setupOf(1) });
  await agent.report("ready");
  agent.send({ type: "impair-link", id: 1, segment: "net", ...BROKEN });
  expect(await agent.report("fatal")).toMatchObject({
    code: "bad-command",
    message: "expected an impaired link to change, found net",
  });
});
