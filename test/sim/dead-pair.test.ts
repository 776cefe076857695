import { describe, expect, test } from "vitest";
import type { Impairment } from "../../agent/src/core/link/impairment.ts";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type NumberedFlow,
  type Side,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";

/** Home routers that use other ports after a reboot. */
const FORGETFUL = { portAssignment: "random" } as const;

/** 6 s to the first unanswered request, and 10 s of requests. */
const NOTICED_MS = 16_000;

/** One packet each way. */
const DATA_EVERY_MS = 20;

interface Talk extends MiceNet {
  readonly flows: readonly NumberedFlow[];
}

/** A session with a direct path and data in both directions for this long. */
function talk(mice: MiceNet, forMs: number): Talk {
  mice.runUntilBoth("path", 10_000);
  const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
  for (const flow of flows) flow.sendEvery(DATA_EVERY_MS, forMs);
  return { ...mice, flows };
}

function behindRouters(access: Impairment = ACCESS, seed = 1): MiceNet {
  const nat = (salt: number) => ({ nat: { ...FORGETFUL, seed: seed + salt }, access });
  return connect({ a: nat(10), b: nat(20), seed });
}

/** While `isCut`, the internet drops all packets sent directly between the sides. */
function cutDirectWay({ net }: MiceNet, isCut: () => boolean): void {
  const sides = ["198.18.0.10", "198.18.0.20"];
  net.intercept(({ segment, packet }) => {
    const isDirect =
      segment === "internet" &&
      packet.kind === "udp" &&
      [packet.source.ip, packet.destination.ip].every((ip) => sides.includes(ip));
    return !(isDirect && isCut());
  });
}

/** When a side's data took this path, after an instant. */
function tookAt(side: Side, path: "direct" | "home-agents", afterMs: number): number {
  return eventsOf(side, "path").find(({ atMs, event }) => atMs > afterMs && event.path === path)?.atMs ?? Infinity;
}

/** Reasons for which the pairs of both sides were left or given up. */
function deaths({ mn, cn }: MiceNet): string[] {
  return [mn, cn].flatMap((side) => [
    ...eventsOf(side, "pair-silent").map(() => "silent"),
    ...eventsOf(side, "pair-dead").map(({ event }) => event.reason),
  ]);
}

/** Milliseconds of data lost, in the worse direction. */
function lostMs({ flows }: Talk): number {
  return Math.max(...flows.map((flow) => (flow.sent - flow.arrivals().length) * DATA_EVERY_MS));
}

describe("a middlebox that reboots amid direct data", () => {
  test.each(["mn", "cn"] as const)("at %s: data falls back, and is direct again a second or two later", (rebooted) => {
    const mice = talk(behindRouters(), 40_000);
    const { net, mn, cn } = mice;
    const rebootAt = net.time.now + 8000;
    net.time.runUntil(rebootAt);
    mice[rebooted].nat?.table.clear();
    net.time.runUntil(rebootAt + 35_000);

    const homeAt = [mn, cn].map((side) => tookAt(side, "home-agents", rebootAt));
    expect(Math.max(...homeAt) - rebootAt).toBeLessThan(NOTICED_MS);
    const directAt = [mn, cn].map((side, i) => tookAt(side, "direct", homeAt[i] ?? Infinity));
    expect(Math.max(...directAt) - Math.min(...homeAt)).toBeLessThan(2000);
    expect(lostMs(mice)).toBeLessThan(NOTICED_MS + 1000);
    // The tunnel of the node behind the router shows the new mapping first.
    expect(deaths(mice)[0]).toBe(rebooted === "mn" ? "no-answer" : "silent");
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("before a peer whom everybody can reach is noticed with the next answer, which tells the new address", () => {
    const mice = talk(connect({ a: { nat: FORGETFUL, access: ACCESS }, b: { access: ACCESS } }), 30_000);
    const { net, mn } = mice;
    const rebootAt = net.time.now + 8000;
    net.time.runUntil(rebootAt);
    mn.nat?.table.clear();
    net.time.runUntil(rebootAt + 25_000);
    expect(deaths(mice)).toEqual(["mapping-changed"]);
    expect(tookAt(mn, "home-agents", rebootAt) - rebootAt).toBeLessThan(6100);
    expect(tookAt(mn, "direct", rebootAt) - tookAt(mn, "home-agents", rebootAt)).toBeLessThan(500);
    expect(lostMs(mice)).toBeLessThan(6500);
  });

  test("and the tunnel of a node without a session is back within a second of the first packet", () => {
    const mice = createMiceNet({ a: { nat: FORGETFUL, access: ACCESS }, b: { access: ACCESS } });
    const { net, mn, cn } = mice;
    net.time.runUntil(CONNECT_AT);
    const flow = createNumberedFlow(mn, cn);
    flow.sendEvery(DATA_EVERY_MS, 5000);
    net.time.runUntil(CONNECT_AT + 2000);
    mn.nat?.table.clear();
    net.time.runUntil(CONNECT_AT + 10_000);
    expect((flow.sent - flow.arrivals().length) * DATA_EVERY_MS).toBeLessThan(1000);
    expect(mn.node.machine.counters()["resumed.registration"]).toBe(1);
    expect(mn.homeAgent.machine.counters()["sent.binding-error"]).toBe(1);
  });
});

describe("a firewall that shuts the direct way while the home agents can be reached", () => {
  test.each([1, 2, 3, 4])("both sides fall back, and the restart settles on the relayed pair (seed %d)", (seed) => {
    const mice = talk(behindRouters(ACCESS, seed), 40_000);
    const { net, mn, cn } = mice;
    const cutAt = net.time.now + 5000;
    cutDirectWay(mice, () => net.time.now >= cutAt);
    net.time.runUntil(cutAt + 40_000);
    for (const side of [mn, cn]) {
      expect(tookAt(side, "home-agents", cutAt) - cutAt).toBeLessThan(NOTICED_MS + 3000);
      expect(pathOf(side)).toBe("home-agents relayed relayed");
    }
    expect(deaths(mice)).toContain("silent");
    expect(eventsOf(mn, "offer-sent").at(-1)?.event.isRestart).toBe(true);
    expect(lostMs(mice)).toBeLessThan(NOTICED_MS + 3500);
  });

  test("the way is tried again later and later, and taken when it opens", () => {
    const mice = talk(behindRouters(), 20_000);
    const { net, mn, cn } = mice;
    const cutAt = net.time.now + 5000;
    const openAt = cutAt + 100_000;
    cutDirectWay(mice, () => net.time.now >= cutAt && net.time.now < openAt);
    net.time.runUntil(openAt);
    const offeredAt = eventsOf(mn, "offer-sent").flatMap(({ atMs }) => (atMs > cutAt ? [atMs] : []));
    const waits = offeredAt.slice(1).map((at, i) => Math.round((at - (offeredAt[i] ?? 0)) / 1000));
    expect(waits).toEqual([12, 22, 42]);
    net.time.runUntil(openAt + 100_000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(cn, "offer-sent")).toEqual([]);
  });

  test.each([
    { cut: "nat-a", at: "198.18.0.20", other: 1 },
    { cut: "nat-b", at: "198.18.0.10", other: 0 },
  ])("one way only, from $cut: what comes the other way is taken until the peer notices too", ({ cut, at, other }) => {
    for (const seed of [1, 2, 3, 4]) {
      const mice = talk(behindRouters(ACCESS, seed), 30_000);
      const { net, mn, cn } = mice;
      const cutAt = net.time.now + 5000;
      // Neither checks nor answers go that way.
      net.intercept(({ from, packet }) => {
        const isCut = from === cut && packet.kind === "udp" && packet.destination.ip === at;
        return !isCut || net.time.now < cutAt;
      });
      net.time.runUntil(cutAt + 40_000);
      expect(deaths(mice)).toContain("silent");
      const flow = mice.flows[other];
      expect(flow?.arrivals().length).toBe(flow?.sent);
      expect([pathOf(mn), pathOf(cn)]).toEqual(["home-agents relayed relayed", "home-agents relayed relayed"]);
    }
  });

  test("a node whose peer does not restart does so itself", () => {
    const mice = talk(behindRouters(), 10_000);
    const { net, cn } = mice;
    net.intercept(({ from }) => from !== "mn");
    net.time.runUntil(net.time.now + 40_000);
    const [deadAt] = eventsOf(cn, "pair-dead").map(({ atMs }) => atMs);
    const [offeredAt] = eventsOf(cn, "offer-sent").map(({ atMs }) => atMs);
    expect((offeredAt ?? 0) - (deadAt ?? 0)).toBeCloseTo(10_020, 0);
    expect(pathOf(cn)).toBe("home-agents");
  });
});

test.each(Array.from({ length: 20 }, (_, i) => i + 1))(
  "one packet in five lost each way kills no live pair within ten minutes (seed %d)",
  (seed) => {
    const lossy = { nat: { ...FORGETFUL, seed: seed + 10 }, access: { ...ACCESS, lossRate: 0.2 } };
    const mice = connect({ a: lossy, b: { nat: { ...FORGETFUL, seed: seed + 20 }, access: ACCESS }, seed });
    // One offer in 500 is lost with all its retransmissions.
    while (!mice.runUntilBoth("nominated", 70_000)) offer(mice.mn, mice.cn);
    mice.net.time.runUntil(mice.net.time.now + 600_000);
    const { "consent.sent": sent = 0, "consent.answered": answered = 0 } = mice.mn.node.machine.counters();
    expect(deaths(mice)).toEqual([]);
    expect(sent - answered).toBeGreaterThan(30);
  },
);

test("consent switched off leaves a dead pair unnoticed, as the draft does", () => {
  const side = { nat: FORGETFUL, access: ACCESS, timers: { consentIntervalMs: 0 } };
  const mice = talk(connect({ a: side, b: { ...side, nat: { ...FORGETFUL, seed: 2 } } }), 1000);
  cutDirectWay(mice, () => true);
  mice.net.time.runUntil(mice.net.time.now + 60_000);
  expect(deaths(mice)).toEqual([]);
  expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
});

describe("data that stops to come while the other direction goes on", () => {
  /** Half a second without data, and a second of unanswered checks. */
  const LEFT_MS = 1700;

  test.each(["mn", "cn"] as const)("%s's router forgets: data is direct again within two seconds", (forgetful) => {
    const mice = talk(behindRouters(), 30_000);
    const { net, mn, cn } = mice;
    const forgottenAt = net.time.now + 8000;
    net.time.runUntil(forgottenAt);
    mice[forgetful].nat?.table.clear();
    net.time.runUntil(forgottenAt + 20_000);
    const directAt = [mn, cn].map((side) => tookAt(side, "direct", forgottenAt));
    expect(Math.max(...directAt) - forgottenAt).toBeLessThan(2000);
    expect(lostMs(mice)).toBeLessThan(LEFT_MS);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("a way that carries one direction only is left by the end that hears nothing, and taken again when it works", () => {
    const mice = talk(behindRouters(), 30_000);
    const { net, mn } = mice;
    const brokenAt = net.time.now + 8000;
    const isBroken = (): boolean => net.time.now >= brokenAt && net.time.now < brokenAt + 5000;
    net.intercept(({ segment, packet }) => {
      const isFromCn = segment === "internet" && packet.kind === "udp" && packet.source.ip === "198.18.0.20";
      return !(isFromCn && packet.destination.ip === "198.18.0.10" && isBroken());
    });
    net.time.runUntil(brokenAt + 20_000);
    expect(tookAt(mn, "home-agents", brokenAt) - brokenAt).toBeLessThan(LEFT_MS);
    expect(pathOf(mn)).toBe(DIRECT);
    expect(lostMs(mice)).toBeLessThan(12_000);
  });

  test("a peer that has nothing more to say costs one check, and data stays where it is", () => {
    const mice = behindRouters();
    mice.runUntilBoth("path", 10_000);
    const { net, mn, cn } = mice;
    createNumberedFlow(mn, cn).sendEvery(DATA_EVERY_MS, 4000);
    createNumberedFlow(cn, mn).sendEvery(DATA_EVERY_MS, 2000);
    const from = net.time.now;
    const sentBefore = mn.node.machine.counters()["ice.consent-sent"] ?? 0;
    net.time.runUntil(from + 4000);
    expect(eventsOf(mn, "path").filter(({ atMs }) => atMs > from)).toEqual([]);
    // One more than the one that is due within four to six seconds.
    expect((mn.node.machine.counters()["ice.consent-sent"] ?? 0) - sentBefore).toBeLessThanOrEqual(2);
  });

  test("a slow way is not left because its answers take long", () => {
    const access = { delayMs: 400, jitterMs: 50 };
    const mice = behindRouters(access);
    mice.runUntilBoth("path", 60_000);
    const { net, mn, cn } = mice;
    createNumberedFlow(mn, cn).sendEvery(DATA_EVERY_MS, 10_000);
    createNumberedFlow(cn, mn).sendEvery(DATA_EVERY_MS, 3000);
    const from = net.time.now;
    net.time.runUntil(from + 10_000);
    expect(eventsOf(mn, "path").filter(({ atMs }) => atMs > from)).toEqual([]);
  });
});
