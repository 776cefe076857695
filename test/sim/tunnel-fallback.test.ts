import { expect, test } from "vitest";
import { familyOf } from "../../agent/src/core/address.ts";
import { createMiceNet, eventsOf, type MiceNet } from "../../agent/src/testing/index.ts";
import { ACCESS } from "./scenario.ts";

/** A mobile node that prefers IPv6, and a home agent that does not answer over it. */
function withoutIpv6(): MiceNet {
  const mice = createMiceNet({ a: { versions: [6, 4], access: ACCESS } });
  mice.net.intercept(
    ({ from, packet }) => !(from === "ha-a" && packet.kind === "udp" && familyOf(packet.source.ip) === 6),
  );
  return mice;
}

test("a home agent that does not answer over IPv6 is asked over IPv4 after a second", () => {
  const mice = withoutIpv6();
  mice.net.time.runUntil(20_000);
  const sent = eventsOf(mice.mn, "registration-sent").map(({ event }) => familyOf(event.careOf.ip));
  expect(sent.slice(0, 2)).toEqual([6, 4]);
  const [registered] = eventsOf(mice.mn, "registered");
  expect(registered?.event.careOf.ip).toBe("198.18.0.10");
  expect(registered?.atMs).toBeLessThan(1100);
});

test("a home agent that answers no questions is tried over IPv4 after three updates", () => {
  const mice = withoutIpv6();
  // A success response of STUN.
  mice.net.intercept(({ from, packet }) => !(from === "ha-a" && packet.payload[0] === 1 && packet.payload[1] === 1));
  mice.net.time.runUntil(20_000);
  const sent = eventsOf(mice.mn, "registration-sent").map(({ event }) => familyOf(event.careOf.ip));
  expect(sent.slice(0, 4)).toEqual([6, 6, 6, 4]);
  expect(eventsOf(mice.mn, "registered")[0]?.event.careOf.ip).toBe("198.18.0.10");
});
