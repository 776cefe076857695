import { describe, expect, test } from "vitest";
import { createNumberedFlow, eventsOf } from "../../agent/src/testing/index.ts";
import { ACCESS, connect, nominatedAfterMs, pathOf, SYMMETRIC } from "./scenario.ts";

describe("a session from offer to data path", () => {
  test.each([
    {
      name: "open-open: host to host",
      setup: { a: { access: ACCESS }, b: { access: ACCESS } },
      mn: "direct host host",
      cn: "direct host host",
      afterMs: 160,
      checks: [4, 3],
    },
    {
      name: "nat-nat, both homes and both nodes alike: reflexive to reflexive",
      setup: { a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } },
      mn: "direct server-reflexive server-reflexive",
      cn: "direct server-reflexive server-reflexive",
      afterMs: 260,
      checks: [5, 5],
    },
    {
      name: "nat-open: reflexive to host",
      setup: { a: { nat: {}, access: ACCESS }, b: { access: ACCESS } },
      mn: "direct server-reflexive host",
      cn: "direct host server-reflexive",
      afterMs: 160,
      checks: [4, 5],
    },
    {
      name: "open-nat: host to reflexive",
      setup: { a: { access: ACCESS }, b: { nat: {}, access: ACCESS } },
      mn: "direct host server-reflexive",
      cn: "direct server-reflexive host",
      afterMs: 240,
      checks: [4, 2],
    },
    {
      name: "symmetric-symmetric: through both home agents",
      setup: { a: { nat: SYMMETRIC, access: ACCESS }, b: { nat: { ...SYMMETRIC, seed: 2 }, access: ACCESS } },
      mn: "home-agents relayed relayed",
      cn: "home-agents relayed relayed",
      afterMs: 2180,
      checks: [5, 4],
    },
  ])("$name", ({ setup, mn, cn, afterMs, checks }) => {
    const mice = connect(setup);
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect({ mn: pathOf(mice.mn), cn: pathOf(mice.cn) }).toEqual({ mn, cn });
    expect({ afterMs: nominatedAfterMs(mice) }).toEqual({ afterMs });
    const sent = [mice.mn, mice.cn].map(({ node }) => node.machine.counters()["checks.sent"]);
    expect({ sent }).toEqual({ sent: checks });
  });
});

test("profile rfc8445, 50 ms between checks and 500 ms before a repetition, gets through as well", () => {
  const side = { access: ACCESS, profile: "rfc8445" } as const;
  const mice = connect({ a: { ...side, nat: {} }, b: { ...side, nat: { seed: 2 } } });
  expect(mice.runUntilBoth("path", 10_000)).toBe(true);
  expect(pathOf(mice.mn)).toBe("direct server-reflexive server-reflexive");
  expect({ afterMs: nominatedAfterMs(mice) }).toEqual({ afterMs: 250 });
});

describe("IPv6 on the access links", () => {
  test.each([
    { name: "alone at both ends", a: [6], b: [6], family: 6 },
    { name: "preferred at both ends", a: [6, 4], b: [6, 4], family: 6 },
    { name: "at one end beside IPv4 at both: IPv4 it is", a: [6, 4], b: [4], family: 4 },
  ] as const)("$name", ({ a, b, family }) => {
    const mice = connect({ a: { versions: a, access: ACCESS }, b: { versions: b, access: ACCESS } });
    expect(mice.runUntilBoth("path", 10_000)).toBe(true);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual(["direct host host", "direct host host"]);
    const careOf = family === 6 ? "2001:db8::10" : "198.18.0.10";
    expect(eventsOf(mice.mn, "binding-update-sent").map(({ event }) => event.careOf)).toEqual([careOf]);
  });

  test("IPv6 alone meets IPv4 alone: only through the home agents", () => {
    const mice = connect({ a: { versions: [6], access: ACCESS }, b: { versions: [4], access: ACCESS } });
    expect(mice.runUntilBoth("path", 20_000)).toBe(true);
    expect([pathOf(mice.mn), pathOf(mice.cn)].map((path) => path.split(" ")[0])).toEqual([
      "home-agents",
      "home-agents",
    ]);
    const flow = createNumberedFlow(mice.mn, mice.cn);
    flow.sendEvery(10, 100);
    mice.net.time.runUntil(mice.net.time.now + 1000);
    expect(flow.arrivals().length).toBe(10);
  });
});
