import { describe, expect, test } from "vitest";
import { eventsOf } from "../../agent/src/testing/index.ts";
import { ACCESS, connect, connectStationary, dataBothWays, failuresOf, pathOf } from "./scenario.ts";

describe("lite agents", () => {
  const lite = { access: ACCESS, isLite: true } as const;
  const full = { nat: {}, access: ACCESS } as const;

  test.each([
    {
      name: "a lite answerer",
      a: full,
      b: lite,
      mn: "direct server-reflexive host",
      cn: "direct host server-reflexive",
    },
    {
      name: "a lite offerer",
      a: lite,
      b: full,
      mn: "direct host server-reflexive",
      cn: "direct server-reflexive host",
    },
  ])("$name checks nothing, and follows the full one", ({ a, b, mn, cn }) => {
    const mice = connect({ a, b });
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect({ mn: pathOf(mice.mn), cn: pathOf(mice.cn) }).toEqual({ mn, cn });
    const [liteEnd, fullEnd] = a === lite ? [mice.mn, mice.cn] : [mice.cn, mice.mn];
    expect(eventsOf(liteEnd, "check-sent")).toEqual([]);
    expect(eventsOf(liteEnd, "candidate").map(({ event }) => event.candidate.type)).toEqual(["host", "relayed"]);
    expect(eventsOf(fullEnd, "check-list")[0]?.event.role).toBe("controlling");
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("a stationary lite correspondent needs a socket and nothing else", () => {
    const mice = connectStationary({ a: full, cn: lite });
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive host");
    expect(eventsOf(mice.cn, "check-sent")).toEqual([]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("two of them check nothing and bind nothing: the home agents carry the data (A-22)", () => {
    const mice = connect({ a: lite, b: lite });
    mice.net.time.runUntil(10_000);
    expect([failuresOf(mice.mn), failuresOf(mice.cn)]).toEqual([["lite-lite"], ["lite-lite"]]);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual(["home-agents", "home-agents"]);
    expect([mice.mn, mice.cn].flatMap((end) => eventsOf(end, "check-sent"))).toEqual([]);
    expect(eventsOf(mice.mn, "binding-update-sent")).toEqual([]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("what is said to a lite agent survives the death of its pair: the full one notices and restarts", () => {
    const mice = connect({ a: full, b: lite });
    mice.runUntilBoth("path", 10_000);
    mice.mn.nat?.table.clear();
    mice.net.time.runUntil(mice.net.time.now + 40_000);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive host");
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });
});
