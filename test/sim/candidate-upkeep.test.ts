import { describe, expect, test } from "vitest";
import { createMiceNet, eventsOf, type MiceNet } from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat, dataBothWays, mobilityTypeOf, offer, pathOf } from "./scenario.ts";

/** MH type of CoTI-ICE (bajko-mip6-rrtfw-02). */
const CARE_OF_TEST_INIT_ICE = 22;

const STUN_PORT = 3478;

describe("mappings of candidates", () => {
  test("are kept alive every 15 s for as long as the offer is unanswered, and then left to age", () => {
    const mice = unheard();
    mice.net.time.runUntil(CONNECT_AT + 200_000);
    const asked = askedAt(mice, "mn").map((atMs) => atMs - CONNECT_AT);
    expect(asked.map((atMs) => Math.round(atMs / 1000))).toEqual([0, 15, 30, 45, 60]);
    expect(eventsOf(mice.mn, "session-failed").map(({ atMs }) => atMs - CONNECT_AT)).toEqual([63_020]);
  });

  test("are left alone 3 s after a pair is selected, at both ends", () => {
    const mice = connectNatNat();
    mice.runUntilBoth("path", 5000);
    mice.net.time.runUntil(mice.net.time.now + 60_000);
    expect(askedAt(mice, "mn").length).toBe(1);
    expect(askedAt(mice, "cn").length).toBe(1);
  });

  test("are left alone when no pair works", () => {
    const mice = connectNatNat();
    mice.net.intercept(({ packet }) => !isCheck(packet.payload));
    mice.net.time.runUntil(CONNECT_AT + 120_000);
    expect(eventsOf(mice.mn, "session-failed").length).toBe(1);
    expect(askedAt(mice, "mn").length).toBeLessThanOrEqual(7);
  });

  test("that change while the offer waits are noticed, and the new candidate is offered", () => {
    const mice = unheard({ portAssignment: "random" });
    mice.net.time.runUntil(CONNECT_AT + 5000);
    mice.mn.nat?.table.clear();
    mice.net.time.runUntil(CONNECT_AT + 20_000);
    const [changed, ...others] = eventsOf(mice.mn, "mapping-changed");
    expect(others).toEqual([]);
    expect(changed?.event.before.address.port).not.toBe(changed?.event.after.address.port);
    const offers = eventsOf(mice.mn, "offer-sent").map(({ event }) => reflexivePorts(event.candidates));
    expect(offers).toEqual([[changed?.event.before.address.port], [changed?.event.after.address.port]]);
  });

  test("that change there do not stand in the way of the session, once the peer hears of it", () => {
    const mice = unheard({ portAssignment: "random" }, 18_000);
    mice.net.time.runUntil(CONNECT_AT + 5000);
    mice.mn.nat?.table.clear();
    expect(mice.runUntilBoth("path", 60_000)).toBe(true);
    expect(pathOf(mice.mn)).toBe("direct server-reflexive server-reflexive");
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });
});

/** A session whose offers are lost for this long. */
function unheard(nat: { readonly portAssignment?: "random" } = {}, forMs = Infinity): MiceNet {
  const mice = createMiceNet({ a: { nat, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } });
  mice.net.time.runUntil(CONNECT_AT);
  mice.net.intercept(
    ({ from, packet }) =>
      from !== "mn" || mobilityTypeOf(packet) !== CARE_OF_TEST_INIT_ICE || mice.net.time.now >= CONNECT_AT + forMs,
  );
  offer(mice.mn, mice.cn);
  return mice;
}

function reflexivePorts(candidates: readonly { readonly type: string; readonly address: { readonly port: number } }[]) {
  return candidates.filter(({ type }) => type === "server-reflexive").map(({ address }) => address.port);
}

/** Times at which a node queried its STUN server. */
function askedAt({ net }: MiceNet, node: string): readonly number[] {
  return net.trace.flatMap(({ from, packet, atMs }) =>
    from === node && packet.kind === "udp" && packet.destination.port === STUN_PORT ? [atMs] : [],
  );
}

/** A check has a USERNAME and is longer than a Binding request to a STUN server; in the tunnel it is UDP in IPv6. */
function isCheck(payload: Uint8Array): boolean {
  const first = payload[0] ?? 0;
  return first >> 4 === 6 ? payload[6] === 17 : first >> 6 === 0 && payload.length > 40;
}
