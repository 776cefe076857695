import { describe, expect, test } from "vitest";
import { observeEffects } from "../../../orchestrator/judge/event-effect.ts";
import { judgeEffects } from "../../../orchestrator/judge/expectation.ts";
import { judgeRun } from "../../../orchestrator/judge/judge-run.ts";
import { observeSessions } from "../../../orchestrator/judge/session-observation.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { observedText } from "../../../orchestrator/report/expectation-text.ts";
import type { SessionExpectation } from "../../../orchestrator/topology/model/resolved.ts";
import { CN_HOME, connectedEvents, MN_HOME, nodeEvent, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const PAIR = pairOf("server-reflexive", "server-reflexive");
const BACK = { local: PAIR.remote, remote: PAIR.local };

function happens(at: number, name: string): LabEvent {
  return { at, type: "timeline", name, nodes: ["nat-b"], text: "nat-b reboots" };
}

/** A packet every 20 ms from 1000 on; a dot was answered after `rttMs`, any other character never. */
function flow(deliveries: string, rttMs = 5): LabEvent {
  const packets = Array.from(deliveries).map((fate, i) => ({
    sentAt: 1000 + 20 * i,
    rttMs: fate === "." ? rttMs : null,
  }));
  return { at: 5000, type: "flow", session: "mn-cn", packets };
}

function effectsOf(...events: readonly LabEvent[]) {
  return observeEffects(TWO_ENDS, [...connectedEvents(PAIR), ...events]);
}

const REBOOT = happens(1100, "reboot");
/** Data falls back at 1200 and is direct again from 1300 on, at the later end. */
const RESTART = [
  nodeEvent(1200, "mn", { type: "path", peer: CN_HOME, path: "home-agents" }),
  nodeEvent(1290, "mn", { type: "nominated", peer: CN_HOME, pair: PAIR, afterMs: 60 }),
  nodeEvent(1295, "mn", { type: "path", peer: CN_HOME, path: "direct", pair: PAIR }),
  nodeEvent(1300, "cn", { type: "path", peer: MN_HOME, path: "direct", pair: BACK }),
];

describe("what an event does to a session", () => {
  test("data lost and back on a direct path is told with its figures", () => {
    // 1100 to 1180 lost, then through the home agents, then direct.
    expect(effectsOf(REBOOT, ...RESTART, flow(".....xxxxx..............."))).toEqual([
      {
        event: "reboot",
        session: "mn-cn",
        path: "direct",
        selected: PAIR,
        restoredAfterMs: 205,
        outageMs: 120,
        packetsSent: 20,
        packetsLost: 5,
        roundTripMs: 5,
      },
    ]);
  });

  test("data that never stops is back with its first packet", () => {
    expect(effectsOf(REBOOT, flow(".".repeat(20)))).toMatchObject([
      { path: "direct", restoredAfterMs: 5, outageMs: 0, packetsLost: 0, packetsSent: 15 },
    ]);
  });

  test("data that never comes back has no path, whatever the node believes", () => {
    const [effect] = effectsOf(REBOOT, flow(".....xxxxxxxxxx"));
    expect(effect).toMatchObject({ path: "none", outageMs: 200, packetsLost: 10 });
    expect(effect?.restoredAfterMs).toBeUndefined();
  });

  test("data on the old way does not count for the new one", () => {
    expect(effectsOf(REBOOT, ...RESTART, flow("...............xxxxx"))).toMatchObject([{ path: "none" }]);
  });

  test("data that only the next event brought back is none of this one's", () => {
    const broken = [happens(1100, "breaks"), happens(1202, "heals")];
    // Sent at 1200, answered at 1205.
    expect(effectsOf(...broken, flow(".....xxxxx.....")).map(({ event, path }) => [event, path])).toEqual([
      ["breaks", "none"],
      ["heals", "direct"],
    ]);
  });

  test("a session without data is believed", () => {
    const sessions = TWO_ENDS.sessions.map((session) => ({ ...session, traffic: "none" as const }));
    const effects = observeEffects({ ...TWO_ENDS, sessions }, [...connectedEvents(PAIR), REBOOT, ...RESTART]);
    expect(effects).toMatchObject([{ path: "direct", selected: PAIR, packetsSent: 0, packetsLost: 0 }]);
  });

  test.each([
    ["no data came back", [], ".....xxxxxxxxxx", "none"],
    ["data fell back to the home agents", RESTART.slice(0, 1), ".".repeat(30), "home-agents"],
  ])("where %s, the pair from before is not named", (_name, reports, deliveries, path) => {
    const [effect] = effectsOf(REBOOT, ...reports, flow(deliveries));
    expect(effect?.path).toBe(path);
    expect(effect).not.toHaveProperty("selected");
  });

  test("a lossy path has its data back at once, however long a later run of losses is", () => {
    // A packet sent at 1140 is lost, and five from 1400 on.
    expect(effectsOf(REBOOT, flow(`.......x${".".repeat(12)}xxxxx.....`))).toMatchObject([
      { path: "direct", restoredAfterMs: 65, outageMs: 120, packetsLost: 6 },
    ]);
  });

  test("losses with which an event begins to take hold are over before data is back", () => {
    // The last answer is to a packet of 1140.
    expect(effectsOf(REBOOT, flow("........xxxxxxxxxxxx....."))).toMatchObject([
      { restoredAfterMs: 305, outageMs: 260 },
    ]);
  });

  test("each event answers for what happens until the next one", () => {
    const effects = effectsOf(REBOOT, ...RESTART, happens(1400, "again"), flow(".....xx............x..x........"));
    expect(effects.map(({ event, packetsLost }) => [event, packetsLost])).toEqual([
      ["reboot", 3],
      ["again", 1],
    ]);
  });
});

describe("two events in a row", () => {
  test("a packet on its way that the next event loses is the next one's", () => {
    const events = [happens(1100, "slower"), happens(1400, "breaks"), happens(1800, "mends")];
    // A round trip takes 110 ms: what was sent from 1290 on was on its way at 1400.
    const deliveries = `${".".repeat(15)}${"x".repeat(25)}${".".repeat(10)}`;
    expect(effectsOf(...events, flow(deliveries, 110))).toMatchObject([
      { event: "slower", path: "direct", selected: PAIR, packetsSent: 10, packetsLost: 0, outageMs: 0 },
      { event: "breaks", path: "none", packetsSent: 25, packetsLost: 25, outageMs: 500 },
      { event: "mends", path: "direct", packetsSent: 10, packetsLost: 0 },
    ]);
  });

  test("a packet that is answered after the next event is the earlier one's", () => {
    const events = [happens(1400, "first"), happens(1600, "second")];
    // Nothing that was sent after the first event had come back when the second one happened.
    expect(effectsOf(...events, flow(".".repeat(50), 300))).toMatchObject([
      { event: "first", path: "direct", packetsSent: 10, packetsLost: 0, roundTripMs: 300 },
      { event: "second", path: "direct", packetsSent: 20 },
    ]);
  });

  test("a packet may be on its way as much longer as the event makes the links slower", () => {
    const [mn, cn] = TWO_ENDS.nodes;
    if (mn === undefined || cn === undefined) throw new Error("there are two ends");
    const internet = { segment: "internet", interfaceName: "internet", mac: "02:00:00:00:00:01" };
    const impairments = { out: { delayMs: 300 }, in: {} };
    const topology = {
      ...TWO_ENDS,
      nodes: [{ ...mn, interfaces: [internet] }, cn],
      timeline: [
        {
          name: "slower",
          atMs: 100,
          when: { plusMs: 100 },
          actions: [{ type: "link", node: "mn", segment: "internet", impairments }],
        },
        {
          name: "breaks",
          atMs: 300,
          when: { plusMs: 300 },
          actions: [{ type: "reboot", node: "nat-b", role: "router", downMs: 0 }],
        },
      ],
    } as const;
    const events = [happens(1100, "slower"), happens(1300, "breaks"), flow(`.....${"x".repeat(20)}`)];
    expect(observeEffects(topology, [...connectedEvents(PAIR), ...events])).toMatchObject([
      { event: "slower", path: "undetermined", packetsSent: 0, packetsLost: 0 },
      { event: "breaks", path: "none", packetsLost: 20 },
    ]);
  });

  test("a packet that a node sends as it is paused, and hears the answer of, shows no path", () => {
    const event = (name: string, type: "pause" | "resume", atMs: number) =>
      ({ name, atMs, when: { plusMs: atMs }, actions: [{ type, node: "mn" }] }) as const;
    const topology = { ...TWO_ENDS, timeline: [event("sleep", "pause", 100), event("wake", "resume", 2000)] };
    // The packet of 1100 leaves before the node stops; the next one is sent when it goes on.
    const late = { sentAt: 3000, rttMs: 5 };
    const after: LabEvent = { at: 5000, type: "flow", session: "mn-cn", packets: [late] };
    const events = [happens(1099, "sleep"), happens(3000, "wake"), flow("......"), after];
    expect(observeEffects(topology, [...connectedEvents(PAIR), ...events])).toMatchObject([
      { event: "sleep", path: "none" },
      { event: "wake", path: "direct" },
    ]);
  });

  test("the silence after an event is not the next one's", () => {
    const events = [happens(1100, "breaks"), happens(1500, "mends"), flow(`.....${"x".repeat(20)}.....`)];
    expect(effectsOf(...events).map(({ event, outageMs }) => [event, outageMs])).toEqual([
      ["breaks", 400],
      ["mends", 0],
    ]);
  });

  test.each([
    ["answered", ".".repeat(30)],
    ["lost", `.....xxxx${".".repeat(20)}`],
  ])("four packets before the next event, all %s, do not tell a path", (_name, deliveries) => {
    const [first] = effectsOf(happens(1100, "first"), happens(1180, "second"), flow(deliveries));
    expect(first).toMatchObject({ path: "undetermined", packetsSent: 4 });
    expect(first).not.toHaveProperty("selected");
  });

  test("of two events at one instant, the last of the file has the time until the next one", () => {
    const timeline = ["mn-roams", "cn-roams"].map((name) => ({
      name,
      atMs: 100,
      when: { plusMs: 100 },
      actions: [{ type: "reboot", node: "nat-b", role: "router", downMs: 0 } as const],
    }));
    // They are reported in the order in which they were carried out.
    const events = [...connectedEvents(PAIR), happens(1100, "cn-roams"), happens(1103, "mn-roams"), ...RESTART];
    expect(observeEffects({ ...TWO_ENDS, timeline }, [...events, flow("......xxxxx..............")])).toMatchObject([
      { event: "mn-roams", path: "undetermined", packetsSent: 0 },
      { event: "cn-roams", path: "direct", packetsSent: 19, packetsLost: 5, outageMs: 120 },
    ]);
  });
});

test("a session as it was set up shows nothing of what came later, in whatever order it was reported", () => {
  const [fallback, ...rest] = RESTART;
  if (fallback === undefined) throw new Error("the restart begins with the fallback");
  const events = [...connectedEvents(PAIR), fallback, REBOOT, ...rest.slice(0, 1)];
  expect(observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, events)).toMatchObject([
    { path: "direct", nominatedAfterMs: 120 },
  ]);
});

describe("an expectation about an event", () => {
  const effects = effectsOf(REBOOT, ...RESTART, flow(".....xxxxx..............."));
  const expectation = (keys: Partial<SessionExpectation>): SessionExpectation => ({
    session: "mn-cn",
    after: "reboot",
    source: "x.yaml:4",
    ...keys,
  });

  test.each([
    [{ path: "direct" }, "direct", "pass"],
    [{ path: "home-agents" }, "direct", "fail"],
    [{ selected: ["server-reflexive", "server-reflexive"] }, "server-reflexive → server-reflexive", "pass"],
    [{ restoredWithinMs: 300 }, "205 ms", "pass"],
    [{ restoredWithinMs: 200 }, "205 ms", "fail"],
    [{ maxOutageMs: 100 }, "120 ms", "fail"],
    [{ roundTripWithinMs: 5 }, "5 ms", "pass"],
    [{ maxLost: 5 }, "5 of 20", "pass"],
    [{ maxLost: 4 }, "5 of 20", "fail"],
  ] as const)("%j: observed %s, %s", (keys, observed, verdict) => {
    const judged = judgeEffects([expectation(keys)], effects, []);
    expect(judged).toMatchObject([{ subject: { session: "mn-cn", after: "reboot" }, verdict, source: "x.yaml:4" }]);
    expect(judged.map(observedText)).toEqual([observed]);
  });

  test.each([
    { path: "direct" },
    { selected: ["server-reflexive", "server-reflexive"] },
    { restoredWithinMs: 1 },
    { maxOutageMs: 1 },
    { roundTripWithinMs: 1 },
    { maxLost: 0 },
  ] as const)("%j is undetermined where the next event came too soon, and fails no run", (keys) => {
    const events = [...connectedEvents(PAIR), REBOOT, happens(1140, "again"), flow(".....xx.......")];
    const topology = { ...TWO_ENDS, expectations: [expectation(keys)] };
    const { expectations, verdict } = judgeRun({
      topology,
      predictions: [],
      record: { events, hosts: [], captures: [], error: undefined },
    });
    expect(expectations.map((each) => [each.verdict, observedText(each)])).toEqual([
      ["undetermined", "undetermined: the next event came too soon"],
    ]);
    expect(verdict).toBe("pass");
  });

  test("where the file says nothing, the predicted path is expected", () => {
    const predicted = { session: "mn-cn", after: "reboot", path: "home-agents", why: [] } as const;
    expect(judgeEffects([], effects, [predicted])).toMatchObject([
      {
        subject: { after: "reboot" },
        expected: "home-agents",
        observed: "direct",
        verdict: "fail",
        source: "predicted",
      },
    ]);
    expect(judgeEffects([], effects, [])).toEqual([]);
  });
});
