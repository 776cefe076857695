import { describe, expect, test } from "vitest";
import { findOption } from "../../agent/src/core/mip6/options.ts";
import { createMiceNet, type End, eventsOf, type MiceNet, type MiceNetSetup } from "../../agent/src/testing/index.ts";
import {
  ACCESS,
  CONNECT_AT,
  connect,
  connectStationary,
  dataBothWays,
  failuresOf,
  loseFirst,
  mobilityMessageOf,
  mobilityTypeOf,
  offer,
  pathOf,
} from "./scenario.ts";

/** MH types (RFC 6275 section 6.1, bajko-mip6-rrtfw-02). */
const MH = { homeTestInit: 1, homeTest: 3, careOfTestInitIce: 22 } as const;

const KEYS_DIFFER = "keys of checks differ: this node has `keys: rr`, its peer `keys: signalled`; give both the same";

describe("keys from return routability", () => {
  const home = { nat: {}, access: ACCESS, keys: "rr" } as const;
  const bothDerive: MiceNetSetup = { a: home, b: { ...home, nat: { seed: 2 } } };

  test("lead to the same pair, one round trip later: the offer waits for the HoT whose nonce it names", () => {
    const mice = connect(bothDerive);
    expect(mice.runUntilBoth("path", 5000)).toBe(true);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive server-reflexive");
    const [hot] = sentAt(mice, "cn", MH.homeTest);
    const [offered] = sentAt(mice, "mn", MH.careOfTestInitIce);
    expect(offered).toBe((hot ?? 0) + 20);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("never put a password on the wire", () => {
    const mice = connect(bothDerive);
    mice.runUntilBoth("path", 5000);
    const options = mice.net.trace.flatMap(({ packet }) => {
      const message = mobilityMessageOf(packet);
      return (message?.options ?? []).flatMap((option) => (option.type === "opaque" ? [option.data] : []));
    });
    expect(options.length).toBeGreaterThan(3);
    // Octets 8 to 23 of the option, without its type and length.
    for (const data of options) expect([...data.subarray(6, 22)]).toEqual(new Array(16).fill(0));
  });

  test("name the home nonce in the offer", () => {
    const mice = connect(bothDerive);
    mice.runUntilBoth("path", 5000);
    const offers = mice.net.trace.flatMap(({ packet }) => {
      const message = mobilityMessageOf(packet);
      return message?.type === "care-of-test-init-ice" ? [message] : [];
    });
    const homeTests = mice.net.trace.flatMap(({ packet }) => {
      const message = mobilityMessageOf(packet);
      return message?.type === "home-test" ? [message.homeNonceIndex] : [];
    });
    expect(homeTests.length).toBeGreaterThan(0);
    expect(homeTests).toContain(findOption(offers[0]?.options ?? [], "nonce-indices")?.home);
    expect(findOption(offers[0]?.options ?? [], "nonce-indices")?.careOf).toBe(0);
  });

  test("survive a restart, which has new ones though the home token is used again", () => {
    const mice = connect(bothDerive);
    mice.runUntilBoth("path", 5000);
    mice.net.time.runUntil(mice.net.time.now + 5000);
    const before = sentAt(mice, "mn", MH.homeTestInit).length;
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(mice.net.time.now + 5000);
    expect(eventsOf(mice.mn, "nominated").length).toBe(2);
    expect(eventsOf(mice.cn, "nominated").length).toBe(2);
    expect(sentAt(mice, "mn", MH.homeTestInit).length).toBe(before);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("outlive the refresh of the binding", () => {
    const mice = connect(bothDerive);
    mice.runUntilBoth("path", 5000);
    mice.net.time.runUntil(400_000);
    expect(eventsOf(mice.mn, "binding-accepted").length).toBe(2);
    expect([mice.mn, mice.cn].flatMap((end) => eventsOf(end, "session-failed"))).toEqual([]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("come a second later when the HoTI is lost, and the offer with them", () => {
    const [inTime, late] = [0, 1].map((lost) => {
      const mice = createMiceNet(bothDerive);
      mice.net.time.runUntil(CONNECT_AT);
      loseFirst(mice, "mn", MH.homeTestInit, lost);
      offer(mice.mn, mice.cn);
      expect(mice.runUntilBoth("path", 5000)).toBe(true);
      return sentAt(mice, "mn", MH.careOfTestInitIce)[0] ?? 0;
    });
    expect((late ?? 0) - (inTime ?? 0)).toBe(1000);
  });

  test("of one end alone end the session at both, and both say what to do", () => {
    const mice = connect({ a: home, b: { access: ACCESS } });
    mice.net.time.runUntil(10_000);
    expect(failuresOf(mice.mn)).toEqual([KEYS_DIFFER]);
    expect(failuresOf(mice.cn)).toEqual([
      "keys of checks differ: this node has `keys: signalled`, its peer `keys: rr`; give both the same",
    ]);
    expect(mice.mn.node.machine.counters()["checks.sent"]).toBeUndefined();
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("work with a stationary correspondent", () => {
    const mice = connectStationary({ a: home, cn: { access: ACCESS, keys: "rr" } });
    expect(mice.runUntilBoth("path", 5000)).toBe(true);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive host");
  });
});

function sentAt({ net }: MiceNet<End>, from: string, mhType: number): readonly number[] {
  return net.trace
    .filter((entry) => entry.from === from && mobilityTypeOf(entry.packet) === mhType)
    .map(({ atMs }) => atMs);
}
