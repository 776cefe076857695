import { describe, expect, test } from "vitest";
import { familyOf } from "../../agent/src/core/address.ts";
import { createMiceNet, type End, eventsOf, type MiceNet } from "../../agent/src/testing/index.ts";
import {
  ACCESS,
  CONNECT_AT,
  connectNatNat,
  dataBothWays,
  loseFirst,
  mobilityFrom,
  mobilityTypeOf,
  offer,
  pathOf,
} from "./scenario.ts";

const BINDING_UPDATE = 5;

describe("a mobile node that leaves", () => {
  test("deletes its bindings at the correspondent and at the home agent, and nobody looks for it", () => {
    const mice = established();
    const at = mice.net.time.now;
    leave(mice.mn);
    mice.net.time.runUntil(at + 120_000);
    expect(bindingUpdatesSince(mice, at)).toBe(2);
    expect(mice.mn.node.machine.counters()["bindings.deleted"]).toBe(1);
    expect(eventsOf(mice.cn, "binding-update-received").at(-1)?.event).toMatchObject({
      status: 0,
      careOf: mice.mn.homeAddress,
    });
    expect(mice.mn.homeAgent.events.at(-1)?.event).toEqual({
      type: "binding-removed",
      homeAddress: mice.mn.homeAddress,
      reason: "deregistered",
    });
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual(["home-agents", "home-agents"]);
    expect([mice.mn, mice.cn].flatMap((end) => eventsOf(end, "pair-dead"))).toEqual([]);
    expect(eventsOf(mice.cn, "offer-sent")).toEqual([]);
  });

  test("says so again when the update is lost", () => {
    const mice = established();
    const at = mice.net.time.now;
    loseFirst(mice, "mn", BINDING_UPDATE);
    leave(mice.mn);
    mice.net.time.runUntil(at + 10_000);
    expect(bindingUpdatesSince(mice, at)).toBe(3);
    expect(mice.mn.node.machine.counters()["bindings.deleted"]).toBe(1);
  });

  test("leaves the binding to expire when its home token is too old to delete it", () => {
    const mice = established();
    mice.net.time.runUntil(mice.net.time.now + 250_000);
    const at = mice.net.time.now;
    leave(mice.mn);
    mice.net.time.runUntil(at + 10_000);
    expect(bindingUpdatesSince(mice, at)).toBe(1);
    expect(mice.mn.node.machine.counters()["bindings.deleted"]).toBeUndefined();
  });

  test("can come back and have a direct path again", () => {
    const mice = established();
    leave(mice.mn);
    mice.net.time.runUntil(mice.net.time.now + 5000);
    mice.mn.node.tell((machine, now) => machine.retarget(now, [mice.mn.socket]));
    mice.net.time.runUntil(mice.net.time.now + 1000);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(mice.net.time.now + 5000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("is not registered again over its other IP version when its home agent does not answer any more", () => {
    const { net, mn } = createMiceNet({ a: { versions: [6, 4], access: ACCESS } });
    net.time.runUntil(CONNECT_AT);
    net.intercept(({ from }) => from !== "ha-a");
    leave(mn);
    net.time.runUntil(CONNECT_AT + 60_000);
    const sent = eventsOf(mn, "registration-sent").map(({ event }) => familyOf(event.careOf.ip));
    expect(sent).toEqual([6, 6, 6, 6]);
    expect(mn.node.events.at(-1)?.event).toMatchObject({ type: "deregistered", isConfirmed: false });
  });

  test("has only a registration to give up when it was the correspondent, and offers nothing any more", () => {
    const mice = established();
    leave(mice.cn);
    mice.net.time.runUntil(mice.net.time.now + 60_000);
    expect(mice.cn.homeAgent.events.at(-1)?.event.type).toBe("binding-removed");
    expect(eventsOf(mice.cn, "offer-sent")).toEqual([]);
  });
});

const DIRECT = "direct server-reflexive server-reflexive";

function established(): MiceNet {
  const mice = connectNatNat();
  mice.runUntilBoth("path", 5000);
  expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  return mice;
}

function leave({ node }: End): void {
  node.tell((machine, now) => machine.leave(now));
}

function bindingUpdatesSince(mice: MiceNet, at: number): number {
  return mobilityFrom(mice, "mn").filter(({ atMs, packet }) => atMs >= at && mobilityTypeOf(packet) === BINDING_UPDATE)
    .length;
}
