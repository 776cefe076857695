import { describe, expect, test } from "vitest";
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
