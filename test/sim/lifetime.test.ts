import { describe, expect, test } from "vitest";
import { MH_TYPE } from "../../agent/src/core/mip6/mobility-header.ts";
import { createMiceNet, createNumberedFlow, eventsOf, type SimPacket } from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, connectNatNat, mobilityTypeOf, offer, pathOf, SYMMETRIC } from "./scenario.ts";

/** From the port of the other node's NAT, which excludes home registrations. */
function isUpdateOnPair(packet: SimPacket): boolean {
  return mobilityTypeOf(packet) === MH_TYPE.bindingUpdate && packet.kind === "udp" && packet.destination.port !== 4191;
}

const DIRECT = "direct server-reflexive server-reflexive";

describe("a binding in time", () => {
  test("is refreshed at three quarters of its 420 s, for an hour, without a gap or a new check", () => {
    const mice = connectNatNat();
    mice.runUntilBoth("path", 5000);
    const checks = mice.mn.node.machine.counters()["checks.sent"];
    const flow = createNumberedFlow(mice.mn, mice.cn);
    flow.sendEvery(1000, 3_600_000);
    mice.net.time.runUntil(CONNECT_AT + 3_600_000);
    expect(flow.arrivals().length).toBe(flow.sent);
    expect(mice.mn.node.machine.counters()["data.sent-home"]).toBeUndefined();
    expect(mice.mn.node.machine.counters()["checks.sent"]).toBe(checks);
    const acceptedAt = eventsOf(mice.mn, "binding-accepted").map(({ atMs }) => Math.round(atMs / 1000));
    expect(acceptedAt.slice(0, 4)).toEqual([1, 316, 631, 947]);
    expect(eventsOf(mice.mn, "path").length).toBe(1);
  });

  test("ends at both sides when refreshes do not get through, and data goes on through the home agents", () => {
    const mice = connectNatNat();
    mice.runUntilBoth("path", 5000);
    mice.net.intercept(({ from, packet }) => !(from === "cn" && packet.payload[6] === 135));
    mice.net.time.runUntil(CONNECT_AT + 430_000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual(["home-agents", "home-agents"]);
    const flow = createNumberedFlow(mice.mn, mice.cn);
    flow.sendEvery(100, 1000);
    mice.net.time.runUntil(mice.net.time.now + 2000);
    expect(flow.arrivals().length).toBe(10);
  });
});

test.each(["mn", "cn"] as const)(
  "a Binding Update of the %s that stays unanswered is never repeated with tokens of 210 s",
  (side) => {
    const mice = createMiceNet({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } });
    const [from, to] = side === "mn" ? [mice.mn, mice.cn] : [mice.cn, mice.mn];
    let isShut = true;
    mice.net.intercept((entry) => !(isShut && entry.from === side && isUpdateOnPair(entry.packet)));
    mice.net.time.runUntil(CONNECT_AT);
    offer(from, to);
    mice.net.time.runUntil(CONNECT_AT + 220_000);
    expect(eventsOf(from, "offer-sent").length).toBe(1);
    mice.net.time.runUntil(CONNECT_AT + 260_000);
    const sentAt = (type: "offer-sent" | "binding-update-sent") => eventsOf(from, type).map(({ atMs }) => atMs);
    const [firstOfferAt = 0, secondOfferAt = 0] = sentAt("offer-sent");
    const oldest =
      sentAt("binding-update-sent")
        .filter((atMs) => atMs < secondOfferAt)
        .at(-1) ?? 0;
    expect(oldest - firstOfferAt).toBeLessThan(210_000);
    expect(sentAt("binding-update-sent").filter((atMs) => atMs > secondOfferAt).length).toBeGreaterThan(1);
    expect(pathOf(from)).toBe("none");
    isShut = false;
    mice.net.time.runUntil(CONNECT_AT + 300_000);
    expect(eventsOf(to, "binding-update-received").map(({ event }) => event.status)).toEqual([0]);
    expect(eventsOf(from, "offer-sent").map(({ event }) => event.isRestart)).toEqual([false, false]);
    expect([pathOf(from), pathOf(to)]).toEqual([DIRECT, DIRECT]);
  },
);

describe("a session that exists", () => {
  test("is left alone by `connect` while it is being set up", () => {
    const mice = connectNatNat();
    mice.net.time.runUntil(CONNECT_AT + 100);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 5000);
    expect(mice.mn.node.machine.counters()["ignored.connect-while-setting-up"]).toBe(1);
    expect(eventsOf(mice.mn, "offer-sent").length).toBe(1);
  });

  test.each([
    { name: "by the side that offered first", side: "mn" as const },
    { name: "by the other side", side: "cn" as const },
  ])("is restarted $name with new credentials, and its data stays direct all the time", ({ side }) => {
    const mice = connectNatNat();
    mice.net.time.runUntil(CONNECT_AT + 5000);
    const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
    for (const flow of flows) flow.sendEvery(10, 5000);
    const [from, to] = side === "mn" ? [mice.mn, mice.cn] : [mice.cn, mice.mn];
    offer(from, to);
    mice.net.time.runUntil(CONNECT_AT + 20_000);
    for (const flow of flows) expect(flow.arrivals().length).toBe(flow.sent);
    expect(mice.mn.node.machine.counters()["data.sent-home"]).toBeUndefined();
    expect(eventsOf(from, "offer-sent").at(-1)?.event.isRestart).toBe(true);
    expect(eventsOf(mice.mn, "nominated").length).toBe(2);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("that ended on the home agents' path is tried again by `connect`", () => {
    const mice = connect({ a: { nat: SYMMETRIC, access: ACCESS }, b: { nat: SYMMETRIC, access: ACCESS } });
    mice.net.time.runUntil(CONNECT_AT + 10_000);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 20_000);
    expect(eventsOf(mice.mn, "nominated").length).toBe(2);
    expect(pathOf(mice.mn)).toBe("home-agents relayed relayed");
  });
});
