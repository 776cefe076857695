import { describe, expect, test } from "vitest";
import { observeEffects } from "../../../orchestrator/judge/event-effect.ts";
import { judgeEffects } from "../../../orchestrator/judge/expectation.ts";
import { observeSessions } from "../../../orchestrator/judge/session-observation.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { observedText } from "../../../orchestrator/report/expectation-text.ts";
import type { ResolvedExpectation } from "../../../orchestrator/topology/model/resolved.ts";
import { CN_HOME, connectedEvents, MN_HOME, nodeEvent, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const PAIR = pairOf("server-reflexive", "server-reflexive");
const BACK = { local: PAIR.remote, remote: PAIR.local };

function happens(at: number, name: string): LabEvent {
  return { at, type: "timeline", name, node: "nat-b", text: "nat-b reboots" };
}

/** A packet every 20 ms from 1000 on; a dot was answered after 5 ms, any other character never. */
function flow(deliveries: string): LabEvent {
  const packets = Array.from(deliveries).map((fate, i) => ({ sentAt: 1000 + 20 * i, rttMs: fate === "." ? 5 : null }));
  return { at: 5000, type: "flow", session: "mn-cn", packets };
}

function effectsOf(...events: readonly LabEvent[]) {
  return observeEffects(TWO_ENDS.sessions, TWO_ENDS.nodes, [...connectedEvents(PAIR), ...events]);
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
    expect(effectsOf(REBOOT, ...RESTART)).toMatchObject([{ path: "direct", packetsSent: 0, packetsLost: 0 }]);
  });

  test("each event answers for what happens until the next one", () => {
    const effects = effectsOf(REBOOT, ...RESTART, happens(1400, "again"), flow(".....xx............x..x........"));
    expect(effects.map(({ event, packetsLost }) => [event, packetsLost])).toEqual([
      ["reboot", 3],
      ["again", 1],
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
  const expectation = (keys: Partial<ResolvedExpectation>): ResolvedExpectation => ({
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
