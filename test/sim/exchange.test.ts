import { describe, expect, test } from "vitest";
import { MH_TYPE } from "../../agent/src/core/mip6/mobility-header.ts";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type SimPacket,
} from "../../agent/src/testing/index.ts";
import {
  ACCESS,
  CONNECT_AT,
  connectNatNat,
  failuresOf,
  loseFirst,
  mobilityFrom,
  mobilityTypeOf,
  nominatedAfterMs,
  offer,
  pathOf,
} from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";
const { homeTestInit, homeTest, careOfTestInitIce, careOfTestIce, bindingUpdate, bindingAcknowledgement } = MH_TYPE;

/** Counts mobility messages of a node by MH type. */
function sentBy(mice: MiceNet, from: string): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { packet } of mobilityFrom(mice, from)) {
    const type = mobilityTypeOf(packet) ?? -1;
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

function registered(): MiceNet {
  const mice = createMiceNet({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } });
  mice.net.time.runUntil(CONNECT_AT);
  return mice;
}

describe("messages of one session", () => {
  test("without loss each message is sent once", () => {
    const mice = connectNatNat();
    mice.net.time.runUntil(CONNECT_AT + 10_000);
    // The only update besides that of the session is the home registration.
    expect(sentBy(mice, "mn")).toEqual({ [homeTestInit]: 1, [careOfTestInitIce]: 1, [bindingUpdate]: 2 });
    expect(sentBy(mice, "cn")).toEqual({
      [homeTest]: 1,
      [careOfTestIce]: 1,
      [bindingUpdate]: 1,
      [bindingAcknowledgement]: 1,
    });
  });

  test.each([
    { name: "HoTI", from: "mn", type: homeTestInit, directAfterMs: 1080 },
    { name: "HoT", from: "cn", type: homeTest, directAfterMs: 1080 },
    { name: "CoTI-ICE", from: "mn", type: careOfTestInitIce, directAfterMs: 1300 },
    { name: "CoT-ICE", from: "cn", type: careOfTestIce, directAfterMs: 1300 },
    { name: "BU", from: "mn", type: bindingUpdate, directAfterMs: 1300 },
    { name: "BA", from: "cn", type: bindingAcknowledgement, directAfterMs: 1300 },
  ])("a lost $name is repeated after a second", ({ from, type, directAfterMs }) => {
    const mice = registered();
    loseFirst(mice, from, type);
    offer(mice.mn, mice.cn);
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect(pathOf(mice.mn)).toBe(DIRECT);
    const offeredAt = eventsOf(mice.mn, "offer-sent")[0]?.atMs ?? 0;
    const directAt = eventsOf(mice.mn, "path")[0]?.atMs ?? 0;
    expect({ directAfterMs: directAt - offeredAt }).toEqual({ directAfterMs });
  });

  test("repetitions of an offer are 1, 2, 4, 8, 16 and 32 s apart, byte for byte alike, and end as a failure", () => {
    const mice = registered();
    loseFirst(mice, "ha-b", careOfTestInitIce, 100);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 200_000);
    const offers = mobilityFrom(mice, "mn").filter(({ packet }) => mobilityTypeOf(packet) === careOfTestInitIce);
    const first = offers[0];
    expect(offers.map(({ atMs }) => (atMs - (first?.atMs ?? 0)) / 1000)).toEqual([0, 1, 3, 7, 15, 31]);
    expect(
      offers.every(({ packet }) => Buffer.compare(packet.payload, first?.packet.payload ?? Buffer.of()) === 0),
    ).toBe(true);
    const [failure] = eventsOf(mice.mn, "session-failed");
    expect(failure?.event.reason).toBe("the peer did not answer the offer");
    expect((failure?.atMs ?? 0) - (first?.atMs ?? 0)).toBe(63_000);
    expect(pathOf(mice.mn)).toBe("home-agents");
  });

  test("an answer that never arrives ends the session at both ends, and either can begin it anew", () => {
    const mice = registered();
    loseFirst(mice, "cn", careOfTestIce, 6);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 70_000);
    expect([mice.mn, mice.cn].map(failuresOf)).toEqual([
      ["the peer did not answer the offer"],
      ["the peer nominated no pair"],
    ]);
    offer(mice.cn, mice.mn);
    mice.net.time.runUntil(mice.net.time.now + 5000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("a restart whose answer never arrives leaves the data of both ends on the direct path", () => {
    const mice = registered();
    offer(mice.mn, mice.cn);
    mice.runUntilBoth("path", 5000);
    loseFirst(mice, "mn", careOfTestIce, 6);
    offer(mice.cn, mice.mn);
    const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
    for (const flow of flows) flow.sendEvery(100, 80_000);
    mice.net.time.runUntil(mice.net.time.now + 82_000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
    expect([mice.mn, mice.cn].map((end) => eventsOf(end, "path").length)).toEqual([1, 1]);
    for (const flow of flows) expect(flow.arrivals().length).toBe(flow.sent);
  });

  test("a session that works goes on asking for its token every 32 s, and goes direct when it comes", () => {
    const mice = registered();
    loseFirst(mice, "cn", homeTest, 8);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 200_000);
    const requests = mobilityFrom(mice, "mn").filter(({ packet }) => mobilityTypeOf(packet) === homeTestInit);
    const firstAt = requests[0]?.atMs ?? 0;
    expect(requests.map(({ atMs }) => (atMs - firstAt) / 1000)).toEqual([0, 1, 3, 7, 15, 31, 63, 95, 127]);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("a Binding Update that is never answered goes on every 32 s, and its answer is taken whenever it comes", () => {
    const mice = registered();
    loseFirst(mice, "cn", bindingAcknowledgement, 7);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 200_000);
    const sequences = eventsOf(mice.mn, "binding-update-sent").map(({ event }) => event.sequence);
    expect(sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("a repeated offer gets the same answer, and no second session", () => {
    const mice = registered();
    loseFirst(mice, "cn", careOfTestIce);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 5000);
    const answers = mobilityFrom(mice, "cn").filter(({ packet }) => mobilityTypeOf(packet) === careOfTestIce);
    expect(answers.length).toBe(2);
    expect(Buffer.compare(answers[0]?.packet.payload ?? Buffer.of(), answers[1]?.packet.payload ?? Buffer.of())).toBe(
      0,
    );
    expect(eventsOf(mice.cn, "offer-received").length).toBe(1);
  });
});

describe("who starts", () => {
  test("the correspondent may offer as well", () => {
    const mice = registered();
    offer(mice.cn, mice.mn);
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(mice.cn, "check-list")[0]?.event.role).toBe("controlling");
  });

  test("an offer that is wanted before the registration stands leaves right after it", () => {
    const mice = createMiceNet({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } });
    offer(mice.mn, mice.cn);
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    const registeredAt = eventsOf(mice.mn, "registered")[0]?.atMs;
    expect(eventsOf(mice.mn, "candidate")[0]?.atMs).toBe(registeredAt);
    expect(nominatedAfterMs(mice)).toBe(260);
  });

  test.each([0, 5, 15, 25, 35, 45, 100, 1000])(
    "both offer, the correspondent %i ms after the mobile node: one session, both direct, nothing lost",
    (laterMs) => {
      const mice = registered();
      const forth = createNumberedFlow(mice.mn, mice.cn);
      forth.sendEvery(5, 5000);
      offer(mice.mn, mice.cn);
      mice.net.time.runUntil(CONNECT_AT + laterMs);
      offer(mice.cn, mice.mn);
      mice.net.time.runUntil(CONNECT_AT + 10_000);
      expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
      expect(forth.arrivals().length).toBe(forth.sent);
    },
  );

  test("of crossing offers the one of the larger home address is answered", () => {
    const mice = registered();
    offer(mice.mn, mice.cn);
    offer(mice.cn, mice.mn);
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    // 2001:db8:b::200 is larger than 2001:db8:a::100.
    expect(eventsOf(mice.cn, "answer-sent")).toEqual([]);
    expect(eventsOf(mice.mn, "answer-sent").length).toBe(1);
    expect(mice.cn.node.machine.counters()["ignored.offer-loses"]).toBe(1);
    expect(eventsOf(mice.cn, "check-list")[0]?.event.role).toBe("controlling");
  });

  test("a lost crossing offer that straggles in behind the answer is ignored, an honest restart is not", () => {
    const mice = registered();
    const held: SimPacket[] = [];
    mice.net.intercept(({ from, packet }) => {
      const isOffer = from === "mn" && mobilityTypeOf(packet) === careOfTestInitIce && held.length === 0;
      if (isOffer) held.push(packet);
      return !isOffer;
    });
    offer(mice.mn, mice.cn);
    offer(mice.cn, mice.mn);
    mice.net.time.runWhile(() => eventsOf(mice.cn, "answer-received").length === 0, CONNECT_AT + 5000);
    for (const packet of held) mice.mn.node.host.send(packet);
    mice.net.time.runUntil(CONNECT_AT + 5000);
    expect(mice.cn.node.machine.counters()["ignored.offer-straggles"]).toBe(1);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);

    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 10_000);
    expect(eventsOf(mice.cn, "answer-sent").length).toBe(1);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });
});
