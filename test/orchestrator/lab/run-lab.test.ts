import type { AgentCommand, RoleSetup } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import { observeEffects } from "../../../orchestrator/judge/event-effect.ts";
import { observeSessions } from "../../../orchestrator/judge/session-observation.ts";
import type { NodeEvent } from "../../../orchestrator/lab/lab-event.ts";
import type { LabRecord } from "../../../orchestrator/lab/lab-record.ts";
import { labTimeouts } from "../../../orchestrator/lab/lab-timeouts.ts";
import { type LabRequest, runLab } from "../../../orchestrator/lab/run-lab.ts";
import type { Plan, ProgramSpec, TimelineStep } from "../../../orchestrator/plan/plan.ts";
import type { Runtime } from "../../../orchestrator/runtime/runtime.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import { CN_HOME, MN_HOME, pairOf, TWO_ENDS } from "../../support/lab-events.ts";
import {
  createScriptedRuntime,
  type NodeScript,
  obey,
  type ScriptedNode,
  sayReady,
} from "../../support/scripted-runtime.ts";

const PAIR = pairOf("host", "host");

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

const PLAN: Plan = {
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
function cooperative(onConnect: () => void = () => undefined): Record<"mn" | "cn", NodeScript> {
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

function register(node: ScriptedNode, homeAddress: string): void {
  const careOf = { ip: "198.18.0.11", port: 40_000 };
  event(node, { type: "registered", homeAddress, careOf, natDetected: false, lifetimeSec: 420 });
}

function event(node: ScriptedNode, nodeEvent: NodeEvent): void {
  node.report({ type: "event", atMs: 0, event: nodeEvent });
}

function request(runtime: Runtime, changes: Partial<LabRequest> = {}): LabRequest {
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

async function failing(scripts: Record<string, NodeScript>, changes: Partial<LabRequest> = {}): Promise<TestbedError> {
  const runtime = createScriptedRuntime(scripts);
  const record = await runLab(request(runtime, changes));
  await record.removal;
  expect(runtime.calls.at(-1)).toBe("destroy");
  expect(record.error).toBeInstanceOf(TestbedError);
  return record.error as TestbedError;
}

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

describe("a timeline", () => {
  const step = (atMs: number, name: string): TimelineStep => ({
    name,
    when: { plusMs: atMs },
    node: "cn",
    text: "cn reboots",
    command: { type: "reboot", rules: [], downMs: 0 },
  });
  const timeline = [step(0, "first"), step(30, "second")];

  test("is played once every session has exchanged its data, with data flowing all the while", async () => {
    const seen: string[] = [];
    const scripts = cooperative();
    const noting = (script: NodeScript): NodeScript => ({
      command(node, command) {
        if (["echo", "start-flow", "reboot", "stop-flow"].includes(command.type)) seen.push(command.type);
        script.command?.(node, command);
      },
    });
    const runtime = createScriptedRuntime({ mn: noting(scripts.mn), cn: noting(scripts.cn) });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(seen).toEqual(["echo", "start-flow", "reboot", "reboot", "stop-flow"]);
    expect(record.events.flatMap((entry) => (entry.type === "timeline" ? [entry.name] : []))).toEqual([
      "first",
      "second",
    ]);
    const effects = observeEffects(TWO_ENDS, record.events);
    expect(effects.at(-1)).toMatchObject({ event: "second", packetsSent: 10, packetsLost: 0 });
  });

  test("goes on while a session that fell back has a direct path to win back, as the model says", async () => {
    const seen: string[] = [];
    const scripts = cooperative();
    const report = (node: ScriptedNode, atMs: number, nodeEvent: NodeEvent): void => {
      seen.push(nodeEvent.type === "path" ? nodeEvent.path : nodeEvent.type);
      node.report({ type: "event", atMs, event: nodeEvent });
    };
    const cn: NodeScript = {
      command(node, command) {
        scripts.cn.command?.(node, command);
        if (command.type !== "reboot") return;
        report(node, 600, { type: "path", peer: MN_HOME, path: "home-agents" });
        report(node, 610, { type: "nominated", peer: MN_HOME, pair: pairOf("relayed", "relayed"), afterMs: 1 });
        setTimeout(() => report(node, 700, { type: "path", peer: MN_HOME, path: "direct", pair: PAIR }), 50);
      },
    };
    const mn: NodeScript = {
      command(node, command) {
        if (command.type === "stop-flow") seen.push(command.type);
        scripts.mn.command?.(node, command);
      },
    };
    const predictions = [{ session: "mn-cn", after: "first", path: "direct", why: [] }] as const;
    const runtime = createScriptedRuntime({ mn, cn });
    const plan = { ...PLAN, timeline: timeline.slice(0, 1) };
    const record = await runLab(request(runtime, { plan, predictions }));
    await record.removal;
    expect(seen).toEqual(["home-agents", "nominated", "direct", "stop-flow"]);
  });

  test("has the events of one instant happen together, those of one node in turn", async () => {
    const scripts = cooperative();
    const begun: string[] = [];
    const waiting: (() => void)[] = [];
    /** A node that is done only when a command has come to both. */
    const slow = (name: "mn" | "cn"): NodeScript => ({
      command(node, command) {
        if (command.type !== "reboot") {
          scripts[name].command?.(node, command);
          return;
        }
        begun.push(`${name} ${command.downMs}`);
        waiting.push(() => obey(node, command));
        if (begun.includes("mn 1") && begun.includes("cn 1")) for (const done of waiting.splice(0)) done();
      },
    });
    const together = [
      { ...step(0, "mn-first"), node: "mn", command: { type: "reboot", rules: [], downMs: 1 } },
      { ...step(0, "cn-first"), command: { type: "reboot", rules: [], downMs: 1 } },
      { ...step(0, "cn-second"), command: { type: "reboot", rules: [], downMs: 2 } },
    ] as const;
    const runtime = createScriptedRuntime({ mn: slow("mn"), cn: slow("cn") });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline: together } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(begun).toEqual(["mn 1", "cn 1", "cn 2"]);
  });

  test("a step that lasts, such as a reboot, delays no step of another node", async () => {
    const scripts = cooperative();
    let finish: (() => void) | undefined;
    const mn: NodeScript = {
      command(node, command) {
        if (command.type === "reboot") finish = () => obey(node, command);
        else scripts.mn.command?.(node, command);
      },
    };
    const cn: NodeScript = {
      command(node, command) {
        scripts.cn.command?.(node, command);
        if (command.type === "reboot") finish?.();
      },
    };
    const steps = [{ ...step(0, "long"), node: "mn" }, step(30, "meanwhile")];
    const record = await runLab(request(createScriptedRuntime({ mn, cn }), { plan: { ...PLAN, timeline: steps } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    const names = record.events.flatMap((entry) => (entry.type === "timeline" ? [entry.name] : []));
    expect(names.toSorted()).toEqual(["long", "meanwhile"]);
  });

  test("an event that follows another counts from when that was done, one that waits for a state from then", async () => {
    const scripts = cooperative();
    const begun: string[] = [];
    const cn: NodeScript = {
      command(node, command) {
        if (command.type !== "reboot") {
          scripts.cn.command?.(node, command);
          return;
        }
        begun.push(`${command.downMs}`);
        setTimeout(() => obey(node, command), 40);
        if (command.downMs === 2)
          setTimeout(() => event(node, { type: "session-failed", peer: MN_HOME, reason: "no pair" }), 60);
      },
    };
    const reboot = (name: string, when: TimelineStep["when"], downMs: number): TimelineStep => ({
      ...step(0, name),
      when,
      command: { type: "reboot", rules: [], downMs },
    });
    const steps = [
      reboot("first", { plusMs: 0 }, 1),
      reboot("second", { after: { event: "first", isSettled: false }, plusMs: 30 }, 2),
      reboot("third", { on: { type: "state", session: "mn-cn", state: "failed" }, plusMs: 0 }, 3),
    ];
    const runtime = createScriptedRuntime({ mn: scripts.mn, cn });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline: steps } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(begun).toEqual(["1", "2", "3"]);
  });

  test("an event that never happens ends the run by its timeout, which names it", async () => {
    const never: TimelineStep = {
      ...step(0, "never"),
      when: { on: { type: "state", session: "mn-cn", state: "failed" }, plusMs: 0 },
    };
    const timeline = [step(0, "first"), never];
    const error = await failing(cooperative(), { plan: { ...PLAN, timeline }, timeoutMs: 400 });
    expect(error.code).toBe("timed-out");
    expect(error.message).toBe(
      "expected the run to end within 0.4 s, and it has not; its timeline still waits for never (once mn-cn has failed)",
    );
  });

  test("ends with the run: what is still to come does not happen", async () => {
    const runtime = createScriptedRuntime(cooperative());
    const late = { ...PLAN, timeline: [step(60_000, "late")] };
    const record = await runLab(request(runtime, { plan: late, timeoutMs: 200 }));
    await record.removal;
    expect(record.error).toMatchObject({ code: "timed-out" });
    expect(record.events.some(({ type }) => type === "timeline")).toBe(false);
  });
});
