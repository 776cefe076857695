/** Nodes with many interfaces, of which one leads anywhere: container bridges, virtual machines, tethered phones. */

import { expect, test } from "vitest";
import { createReassembly, isMobilityFragment } from "../../agent/src/core/mip6/ipv6-fragment.ts";
import { isCompleteIpv6 } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { createMiceNet, eventsOf, type MiceNet, packetOctets, type SideSetup } from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, nominatedAfterMs, offer, pathOf, SYMMETRIC } from "./scenario.ts";

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

test.each([
  { name: "49", bridges: 47 },
  { name: "200", bridges: 200 },
])("an offer of a node with $name interfaces crosses a path of 576 octets, in one message", ({ bridges }) => {
  const mice = connectOverNarrowPath({ access: ACCESS, bridges });
  expect(mice.runUntilBoth("path", 20_000)).toBe(true);
  expect(pathOf(mice.mn)).toBe("direct server-reflexive server-reflexive");
  expect(eventsOf(mice.mn, "offer-sent")[0]?.event.candidates.map(({ type }) => type)).toContain("relayed");
  const reassembly = createReassembly();
  const offers = mice.net.trace
    .filter(({ from, packet }) => from === "mn" && packet.kind === "udp" && isCompleteIpv6(packet.payload))
    .map(({ atMs, packet: { payload } }) =>
      isMobilityFragment(payload) ? reassembly.take(atMs, payload, "home") : payload,
    )
    .filter((packet) => packet?.[MOBILITY_TYPE_AT] === CARE_OF_TEST_INIT_ICE);
  expect(new Set(offers.map((packet) => Buffer.from(packet ?? []).toString("hex"))).size).toBe(1);
});

const MOBILITY_TYPE_AT = 42;

const CARE_OF_TEST_INIT_ICE = 22;

/** Two nodes whose packets are lost without a word where they are larger than any way has to carry. */
function connectOverNarrowPath(side: SideSetup): MiceNet {
  const mice = createMiceNet({ a: { ...side, nat: {} }, b: { access: ACCESS, nat: { seed: 2 } } });
  mice.net.intercept(({ packet }) => packetOctets(packet) <= 576);
  mice.net.time.runUntil(CONNECT_AT);
  offer(mice.mn, mice.cn);
  return mice;
}
