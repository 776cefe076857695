import { expect, test } from "vitest";
import { familyOf } from "../../agent/src/core/address.ts";
import { createMiceNet, eventsOf } from "../../agent/src/testing/index.ts";
import { ACCESS } from "./scenario.ts";

test("a home agent that does not answer over IPv6 is asked over IPv4 after three updates", () => {
  const mice = createMiceNet({ a: { versions: [6, 4], access: ACCESS } });
  mice.net.intercept(
    ({ from, packet }) => !(from === "ha-a" && packet.kind === "udp" && familyOf(packet.source.ip) === 6),
  );
  mice.net.time.runUntil(20_000);
  const sent = eventsOf(mice.mn, "registration-sent").map(({ event }) => familyOf(event.careOf.ip));
  expect(sent.slice(0, 4)).toEqual([6, 6, 6, 4]);
  expect(eventsOf(mice.mn, "registered")[0]?.event.careOf.ip).toBe("198.18.0.10");
});
