/** Nodes with many interfaces, of which one leads anywhere: container bridges, virtual machines, tethered phones. */

import { expect, test } from "vitest";
import { eventsOf } from "../../agent/src/testing/index.ts";
import { ACCESS, connect, nominatedAfterMs, pathOf, SYMMETRIC } from "./scenario.ts";

test.each([
  { name: "the pair that works is checked", nat: {}, path: "direct server-reflexive server-reflexive", withinMs: 4000 },
  { name: "the home agents' path is checked", nat: SYMMETRIC, path: "home-agents relayed relayed", withinMs: 7000 },
])("with sixteen useless interfaces at both ends $name", ({ nat, path, withinMs }) => {
  const side = { access: ACCESS, bridges: 16 };
  const mice = connect({ a: { ...side, nat }, b: { ...side, nat: { ...nat, seed: 2 } } });

  expect(mice.runUntilBoth("path", 25_000)).toBe(true);

  expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([path, path]);
  expect(nominatedAfterMs(mice)).toBeLessThan(withinMs);
  const [list] = eventsOf(mice.mn, "check-list");
  expect(list?.event.pairs).toHaveLength(100);
  expect(list?.event.cut.pairs).toBeGreaterThan(0);
});
