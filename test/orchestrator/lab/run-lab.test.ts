import type { AgentCommand } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import { observeSessions } from "../../../orchestrator/judge/session-observation.ts";
import type { LabRecord } from "../../../orchestrator/lab/lab-record.ts";
import { labTimeouts } from "../../../orchestrator/lab/lab-timeouts.ts";
import { runLab } from "../../../orchestrator/lab/run-lab.ts";
import type { ProgramSpec } from "../../../orchestrator/plan/plan.ts";
import type { Runtime } from "../../../orchestrator/runtime/runtime.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import { CN_HOME, MN_HOME, TWO_ENDS } from "../../support/lab-events.ts";
import {
  createScriptedRuntime,
  type NodeScript,
  obey,
  type ScriptedNode,
  sayReady,
} from "../../support/scripted-runtime.ts";
import { cooperative, event, failing, PLAN, register, request } from "../../support/two-ends-lab.ts";

test("a run makes segments, then nodes, starts them, drives the session and removes everything", async () => {
  const runtime = createScriptedRuntime(cooperative());
  const record = await runLab(request(runtime));
  await record.removal;
  expect(record.error).toBeUndefined();
  expect(runtime.calls).toEqual([
    "sweep",
    "createSegments internet",
    "createNodes mn,cn",
    "startNode mn",
    "startNode cn",
    "destroy",
  ]);
  const [observed] = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, record.events);
  expect(observed).toMatchObject({ path: "direct", lost: 0, pingBeforeIce: { received: 3 }, echo: { received: 20 } });
  expect([...record.phasesMs.keys()]).toEqual(
    expect.arrayContaining(["create", "start", "registration", "before-ice", "nomination", "data", "finish", "remove"]),
  );
});

test("the way through the home agents is proven before the session is offered", async () => {
  const seen: string[] = [];
  const runtime = createScriptedRuntime(cooperative(() => seen.push("connect")));
  const record = await runLab(
    request(runtime, { onEvent: (entry) => entry.type === "traffic" && seen.push(`${entry.kind} ${entry.moment}`) }),
  );
  await record.removal;
  expect(seen.slice(0, 2)).toEqual(["ping before-ice", "connect"]);
});

test("with fifty sessions at once a packet may be answered later before it counts as lost", async () => {
  const { mn, cn } = cooperative();
  const waits: number[] = [];
  const watched: NodeScript = {
    command(node, command) {
      if (command.type === "ping" || command.type === "echo") waits.push(command.timeoutMs);
      mn.command?.(node, command);
    },
  };
  const sessions = TWO_ENDS.sessions.flatMap((session) => Array<typeof session>(50).fill(session));
  const runtime = createScriptedRuntime({ mn: watched, cn });
  const record = await runLab(request(runtime, { topology: { ...TWO_ENDS, sessions } }));
  await record.removal;
  expect(waits).toEqual(Array<number>(150).fill(1000 + 49 * 100));
});

test("on a slow machine every step may take longer", async () => {
  const waits: number[] = [];
  const { mn, cn } = cooperative();
  const watched: NodeScript = {
    command(node, command) {
      if (command.type === "ping" || command.type === "echo") waits.push(command.timeoutMs);
      mn.command?.(node, command);
    },
  };
  await runLab(request(createScriptedRuntime({ mn: watched, cn }), { timeouts: labTimeouts(3) }));
  expect(waits).toEqual([3000, 3000, 3000]);
});

test("a session that gets no further is given up once its step has taken too long", async () => {
  const silent: NodeScript = { command: (node, command) => command.type !== "connect" && obey(node, command) };
  const deaf: NodeScript = {
    command(node, command) {
      if (command.type === "start") register(node, node.name === "mn" ? MN_HOME : CN_HOME);
      silent.command?.(node, command);
    },
  };
  const record = await runLab(
    request(createScriptedRuntime({ mn: deaf, cn: deaf }), { timeouts: { ...labTimeouts(1), nominationMs: 30 } }),
  );
  expect(record.events).toContainEqual(
    expect.objectContaining({ type: "gave-up", session: "mn-cn", waitedFor: "nomination", afterMs: 30 }),
  );
});

test("a mobile node is told to start once every node is ready", async () => {
  const seen: string[] = [];
  const command = (node: ScriptedNode, received: AgentCommand): void => {
    seen.push(received.type);
    obey(node, received);
  };
  const start = (node: ScriptedNode): void => {
    setTimeout(() => {
      seen.push("cn ready");
      sayReady(node);
    }, 20);
  };
  const topology = { ...TWO_ENDS, sessions: [] };
  const record = await runLab(request(createScriptedRuntime({ mn: { command }, cn: { start } }), { topology }));
  expect(record.error).toBeUndefined();
  expect(seen).toEqual(["cn ready", "start", "finish"]);
});

test("captured bytes of every node and segment come back in order, with the count of dropped packets", async () => {
  const scripts = cooperative();
  const finishing = (node: ScriptedNode, command: AgentCommand): void => {
    if (command.type === "finish") {
      for (const data of ["AQI=", "Aw=="]) node.report({ type: "capture", segment: "internet", data });
      node.report({ type: "capture-done", segment: "internet", captured: 1, droppedByKernel: 4 });
    }
    scripts.cn.command?.(node, command);
  };
  const record = await runLab(request(createScriptedRuntime({ ...scripts, cn: { command: finishing } })));
  expect(record.captures).toEqual([
    { node: "cn", segment: "internet", pcap: Buffer.from([1, 2, 3]), droppedByKernel: 4 },
  ]);
  expect(record.counters.get("cn")).toEqual({ "checks.sent": 1 });
});

test("a fatal report is the error, with the last lines of the node's log", async () => {
  const error = await failing({
    cn: {
      start(node) {
        node.logLine("Error: bad route");
        node.report({ type: "fatal", code: "network", message: "ip refused the route" });
        node.exit(1);
      },
    },
  });
  expect(error.code).toBe("node-failed");
  expect(error.message).toBe("node cn: network: ip refused the route\n  its last log lines:\n  | Error: bad route");
});

test("a node that ends before it was told to is an error, whatever its exit code", async () => {
  const start = (node: ScriptedNode): void => {
    sayReady(node);
    setTimeout(() => node.exit(0), 5);
  };
  const error = await failing({ mn: { start } });
  expect(error.message).toBe("node mn: it ended with exit code 0 before it was told to");
});

test("a line that is no report is an error of that node", async () => {
  const error = await failing({ mn: { start: (node) => node.write("hello?") } });
  expect(error.message).toMatch(/^node mn: expected .* on its control channel, found/);
});

test("a node that reports without end is named, and what it reported until then is kept", async () => {
  const start = (node: ScriptedNode): void => {
    sayReady(node);
    for (let i = 0; i < 20_000; i += 1) event(node, { type: "registration-failed", reason: "again" });
  };
  const record = await runLab(request(createScriptedRuntime({ mn: { start } })));
  expect(record.error).toMatchObject({
    code: "node-failed",
    message: expect.stringMatching(/^node mn: it reported more than 10000 events within a second/) as string,
  });
  expect(record.events.filter(({ type }) => type === "node").length).toBeGreaterThan(9000);
});

test("a node that writes a line without end is named", async () => {
  const endless = "its control channel broke: a line went on for more than 4194304 octets";
  const runtime = createScriptedRuntime({});
  const lines = (async function* (): AsyncGenerator<string> {
    await Promise.resolve();
    yield JSON.stringify({
      type: "hello",
      version: 1,
      pid: 1,
      nodeVersion: "v24.0.0",
      clock: { monotonicMs: 0, realMs: 0 },
    });
    throw new Error("a line went on for more than 4194304 octets");
  })();
  const broken: Runtime = {
    ...runtime,
    createLab(identity, signal) {
      const lab = runtime.createLab(identity, signal);
      return {
        ...lab,
        startNode: async (name) => ({ ...(await lab.startNode(name)), ...(name === "mn" ? { lines } : {}) }),
      };
    },
  };
  expect((await runLab(request(broken))).error).toMatchObject({ message: `node mn: ${endless}` });
});

test("what is quoted of a log is no longer than somebody reads", async () => {
  const start = (node: ScriptedNode): void => {
    node.logLine("x".repeat(100_000));
    node.exit(1);
  };
  const error = await failing({ cn: { start } });
  expect(error.message.length).toBeLessThan(500);
});

test("where the runtime itself has failed, that is the error and not the node that fell silent", async () => {
  const fault = new TestbedError("engine-failed", "the engine stopped to answer during the run");
  const scripts = { mn: { start: () => undefined } };
  const record = await runLab(request(createScriptedRuntime(scripts, { fault }), { timeoutMs: 20 }));
  expect(record.error).toBe(fault);
});

test("a run that takes too long ends as timed out", async () => {
  const error = await failing({ mn: { start: () => undefined } }, { timeoutMs: 20 });
  expect(error).toMatchObject({
    code: "timed-out",
    message: "expected the run to end within 0.02 s, and it has not",
  });
});

test("an interruption ends the run at once, and the lab is removed", async () => {
  const controller = new AbortController();
  const interrupted = new TestbedError("interrupted", "interrupted by SIGINT");
  setTimeout(() => controller.abort(interrupted), 10);
  const error = await failing({ mn: { start: () => undefined } }, { signal: controller.signal });
  expect(error).toBe(interrupted);
});

test("an interruption before the start makes nothing", async () => {
  const runtime = createScriptedRuntime({});
  const signal = AbortSignal.abort(new TestbedError("interrupted", "interrupted by SIGINT"));
  const record = await runLab(request(runtime, { signal }));
  await record.removal;
  expect(record.error).toMatchObject({ code: "interrupted" });
  expect(runtime.calls.filter((call) => call.startsWith("create"))).toEqual([]);
});

test("a session whose registration fails is observed as such, and the run goes on to its end", async () => {
  const command = (node: ScriptedNode, received: AgentCommand): void => {
    if (received.type === "start") event(node, { type: "registration-failed", reason: "no answer" });
    obey(node, received);
  };
  const record: LabRecord = await runLab(request(createScriptedRuntime({ ...cooperative(), cn: { command } })));
  expect(record.error).toBeUndefined();
  const [observed] = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, record.events);
  expect(observed).toMatchObject({ path: "none", failure: "registration failed: no answer" });
});

describe("a lab that serves several runs", () => {
  const released = { leftovers: [] };

  /** A scripted runtime with releasable labs and resettable nodes. */
  function reusable(scripts: Readonly<Record<"mn" | "cn", NodeScript>>) {
    const told: string[] = [];
    const reset = ({ command = obey }: NodeScript): NodeScript => ({
      command(node, received) {
        if (received.type === "reset") {
          node.report({ type: "bye", clock: { monotonicMs: 0, realMs: 0 }, counters: {} });
          node.write("not for this run");
        } else command(node, received);
        if (["reset", "finish"].includes(received.type)) told.push(`${node.name} ${received.type}`);
      },
    });
    const inner = createScriptedRuntime({ mn: reset(scripts.mn), cn: reset(scripts.cn) });
    const release = (): Promise<typeof released> => {
      told.push("release");
      return Promise.resolve(released);
    };
    const runtime: Runtime = { ...inner, createLab: (...args) => ({ ...inner.createLab(...args), release }) };
    return { runtime, told, calls: inner.calls };
  }

  test("has its nodes reset and is released at the end of a run", async () => {
    const { runtime, told, calls } = reusable(cooperative());
    const record = await runLab(request(runtime));
    expect(await record.removal).toBe(released);
    expect(record.error).toBeUndefined();
    expect(told).toEqual(["mn reset", "cn reset", "release"]);
    expect(calls).not.toContain("destroy");
  });

  test("is removed when a run could not be carried through", async () => {
    const dying: NodeScript = { command: (node, { type }) => type === "start" && node.exit(1) };
    const { runtime, told, calls } = reusable({ ...cooperative(), cn: dying });
    const record = await runLab(request(runtime));
    await record.removal;
    expect(record.error).toMatchObject({ code: "node-failed" });
    expect(told).toEqual([]);
    expect(calls.at(-1)).toBe("destroy");
  });
});

test("a kept lab is neither told to finish nor removed", async () => {
  const runtime = createScriptedRuntime(cooperative());
  const record = await runLab(request(runtime, { keep: true }));
  await record.removal;
  expect(runtime.calls.slice(-1)).toEqual(["keep"]);
  expect(record.events.at(-1)).toMatchObject({ type: "kept", runId: "run-1" });
});

test("foreign programs start once every node is ready, and the run waits for them when there is no session", async () => {
  const runtime = createScriptedRuntime({});
  const program: ProgramSpec = {
    name: "probe",
    inside: "mn",
    source: { type: "image", image: "busybox" },
    environment: {},
  };
  const record = await runLab(
    request(runtime, { plan: { ...PLAN, programs: [program] }, topology: { ...TWO_ENDS, sessions: [] } }),
  );
  expect(record.error).toBeUndefined();
  expect(runtime.calls.indexOf("startGuest probe")).toBeGreaterThan(runtime.calls.indexOf("startNode cn"));
  expect(record.hosts).toEqual([
    { name: "probe", source: { type: "image", image: "busybox" }, exitCode: 0, log: "host program output\n" },
  ]);
});

test("a foreign program that never ends is ended with the time there is, and the record says so", async () => {
  const runtime = createScriptedRuntime({}, { programExits: false });
  const program: ProgramSpec = {
    name: "server",
    inside: "mn",
    source: { type: "image", image: "busybox" },
    environment: {},
  };
  const record = await runLab(
    request(runtime, {
      plan: { ...PLAN, programs: [program] },
      topology: { ...TWO_ENDS, sessions: [] },
      timeoutMs: 5100,
    }),
  );
  expect(record.error).toBeUndefined();
  expect(record.hosts).toEqual([
    {
      name: "server",
      source: { type: "image", image: "busybox" },
      isEndedByTestbed: true,
      log: "host program output\n",
    },
  ]);
  expect(record.events).toContainEqual(
    expect.objectContaining({ type: "host-ended", node: "server", isService: false }),
  );
});

test("a run does not wait for services, and waits for other programs beside its sessions", async () => {
  const runtime = createScriptedRuntime(cooperative(), { programExits: false });
  const service: ProgramSpec = {
    name: "server",
    inside: "mn",
    source: { type: "image", image: "busybox" },
    environment: {},
    isService: true,
  };
  const record = await runLab(request(runtime, { plan: { ...PLAN, programs: [service] } }));
  expect(record.error).toBeUndefined();
  expect(record.phasesMs.has("hosts")).toBe(false);
  expect(record.hosts).toMatchObject([{ name: "server", isService: true, isEndedByTestbed: true }]);

  const awaited = createScriptedRuntime(cooperative());
  const program: ProgramSpec = {
    name: "probe",
    inside: "mn",
    source: { type: "image", image: "busybox" },
    environment: {},
  };
  const other = await runLab(request(awaited, { plan: { ...PLAN, programs: [program] } }));
  expect(other.phasesMs.has("hosts")).toBe(true);
});

test("a capture that ends before its node does is an error that names both", async () => {
  const [mn, ...others] = PLAN.nodes;
  if (mn === undefined) throw new Error("expected a node");
  const iface = { segment: "internet", interfaceName: "internet", mac: "02:00:00:00:00:01", addresses: [] };
  const nodes = [{ ...mn, setup: { ...mn.setup, interfaces: [iface] } }, ...others];
  const error = await failing(cooperative(), { plan: { ...PLAN, nodes } });
  expect(error.message).toMatch(/^node mn: expected its capture of internet to last to the end, and it ended early/);
});
