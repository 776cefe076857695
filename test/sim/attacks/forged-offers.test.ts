/**
 * Restart offers in the name of the peer, sent with the outer address of the home agent, as if they came through the
 * tunnel. Nothing authenticates them: a session with a direct path has to outlive them.
 */

import { describe, expect, test } from "vitest";
import { readCheck } from "../../../agent/src/core/ice/check-message.ts";
import { makeCredentials } from "../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import { encodeMipIce, type MipIceDescription } from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import { encodeMobilityMessage } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { encodeUdpInIpv6 } from "../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { encodeCheckSuccess } from "../../../agent/src/core/stun/reply.ts";
import {
  createNumberedFlow,
  eventsOf,
  type MiceNetSetup,
  type NumberedFlow,
  type Side,
  seededRng,
} from "../../../agent/src/testing/index.ts";
import { ACCESS, offer, pathOf } from "../scenario.ts";
import { ATTACKER_IP, stunOf } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, mentions, NAT_NAT, OPEN } from "./battlefield.ts";

const OWN = { ip: ATTACKER_IP, port: 6666 };

/** An offer of the attacker's candidates as the peer's, changed by the test. */
function forge({ rng, field, to }: Forger, change: Partial<MipIceDescription> = {}): void {
  const peer = to === "mn" ? field.cn : field.mn;
  const endpoints = { source: peer.homeAddress, destination: field[to].homeAddress };
  const options = encodeMipIce({
    isLite: false,
    isMismatch: false,
    credentials: makeCredentials(rng),
    options: [],
    candidates: [
      { type: "host", address: OWN, priority: 0x7effffff },
      { type: "relayed", address: { ip: peer.homeAddress, port: 7000 }, priority: 0x00ffffff },
    ],
    remoteCandidates: [],
    ...change,
  });
  const message = { type: "care-of-test-init-ice", careOfInitCookie: rng.bytes(8), options } as const;
  const packet = encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints);
  field.attacker.send(homeAgentOf(to), outside(field[to], to), packet);
}

interface Forger {
  readonly field: Battlefield;
  readonly to: "mn" | "cn";
  readonly rng: ReturnType<typeof seededRng>;
}

function homeAgentOf(to: "mn" | "cn") {
  return { ip: to === "mn" ? "198.18.0.2" : "198.18.0.3", port: 4191 };
}

/** Where packets to a node's tunnel arrive from outside. */
function outside({ nat, socket }: Side, to: "mn" | "cn") {
  return nat === undefined ? socket : { ip: to === "mn" ? "198.18.0.10" : "198.18.0.20", port: socket.port };
}

/** A session with a direct path and data in both directions, from 3 s on. */
function talking(setup: MiceNetSetup, to: "mn" | "cn", forMs: number, everyMs = 10) {
  const field = createBattlefield(setup);
  field.connect();
  field.net.time.runUntil(3000);
  expect([pathOf(field.mn), pathOf(field.cn)].map((path) => path.split(" ")[0])).toEqual(["direct", "direct"]);
  const flows = [createNumberedFlow(field.mn, field.cn), createNumberedFlow(field.cn, field.mn)];
  for (const flow of flows) flow.sendEvery(everyMs, forMs);
  return { field, flows, gaps: watchGaps(field, forMs), forger: { field, to, rng: seededRng(666) } };
}

/** The longest time in which no data arrived at a node, to 10 ms. */
function watchGaps({ net, mn, cn }: Battlefield, forMs: number): { longestMs: number } {
  const gaps = { longestMs: 0 };
  const ends = [mn, cn].map(({ received }) => ({ received, count: received.length, atMs: net.time.now }));
  for (let afterMs = 10; afterMs < forMs; afterMs += 10)
    net.time.at(net.time.now + afterMs, () => {
      for (const end of ends) {
        gaps.longestMs = Math.max(gaps.longestMs, net.time.now - end.atMs);
        if (end.received.length > end.count) Object.assign(end, { count: end.received.length, atMs: net.time.now });
      }
    });
  return gaps;
}

function lost(flows: readonly NumberedFlow[]): readonly number[] {
  return flows.map((flow) => flow.sent - flow.arrivals().length);
}

const KINDS: readonly { readonly name: string; readonly change: Partial<MipIceDescription> }[] = [
  { name: "with a candidate that does not answer", change: {} },
  { name: "without the default candidate", change: { candidates: [{ type: "host", address: OWN, priority: 1 }] } },
  { name: "with the other kind of keys", change: { options: ["rrkeys"] } },
  { name: "of a lite agent", change: { isLite: true } },
];

describe.each(["mn", "cn"] as const)("a forged restart offer to %s", (to) => {
  test.each(KINDS)("$name breaks nothing: no packet is lost, no gap is longer than a few packets", ({ change }) => {
    const { field, flows, gaps, forger } = talking(OPEN, to, 30_000);
    field.net.time.at(5000, () => forge(forger, change));
    field.runFor(40_000);
    expect(lost(flows)).toEqual([0, 0]);
    expect(gaps.longestMs).toBeLessThanOrEqual(100);
    for (const end of [field.mn, field.cn]) {
      expect(pathOf(end)).toBe("direct host host");
      expect([eventsOf(end, "pair-dead"), eventsOf(end, "session-failed")]).toEqual([[], []]);
      expect(mentions(end, ATTACKER_IP, "path")).toBe(false);
    }
    expect(eventsOf(field[to], "offer-received").length).toBeGreaterThan(to === "cn" ? 1 : 0);
  });

  test("behind a home router breaks nothing either", () => {
    const { field, flows, gaps, forger } = talking(NAT_NAT, to, 30_000);
    field.net.time.at(5000, () => forge(forger));
    field.runFor(40_000);
    expect(eventsOf(field[to], "offer-received").length).toBeGreaterThan(to === "cn" ? 1 : 0);
    expect(lost(flows)).toEqual([0, 0]);
    expect(gaps.longestMs).toBeLessThanOrEqual(100);
    expect([pathOf(field.mn), pathOf(field.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("every five seconds for ten minutes breaks nothing, and the bindings are refreshed", () => {
    const { field, flows, forger } = talking(OPEN, to, 600_000, 100);
    for (let at = 5000; at < 600_000; at += 5000) field.net.time.at(at, () => forge(forger));
    field.runFor(620_000);
    expect(lost(flows)).toEqual([0, 0]);
    expect([pathOf(field.mn), pathOf(field.cn)]).toEqual(["direct host host", "direct host host"]);
    expect(eventsOf(field.mn, "binding-accepted").length).toBeGreaterThanOrEqual(2);
  });

  test("whose candidate answers checks, as a lite agent or not, lets nobody send or get data", () => {
    for (const isLite of [false, true]) {
      const { field, flows, forger } = talking(OPEN, to, 30_000);
      const credentials = makeCredentials(seededRng(1));
      const { attacker } = field;
      attacker.onArrival = (packet) => {
        const check = stunOf(packet);
        if (packet.kind !== "udp" || check?.class !== "request" || readCheck(check) === undefined) return;
        const key = new TextEncoder().encode(credentials.pwd);
        attacker.send(OWN, packet.source, encodeCheckSuccess(check, packet.source, key));
      };
      field.net.time.at(5000, () => forge(forger, { isLite, credentials }));
      const peer = to === "mn" ? field.cn : field.mn;
      const ends = { source: { ip: peer.homeAddress, port: 7 }, destination: { ip: field[to].homeAddress, port: 7 } };
      const injected = encodeUdpInIpv6({ ...ends, payload: new TextEncoder().encode("injected") });
      for (let at = 5000; at < 30_000; at += 100)
        field.net.time.at(at, () => attacker.send(OWN, field[to].socket, injected));
      field.runFor(90_000);
      expect(mentions(field[to], ATTACKER_IP, "pair-valid")).toBe(true);
      expect(field[to].received.filter((packet) => Buffer.from(packet).includes("injected"))).toEqual([]);
      expect(lost(flows)).toEqual([0, 0]);
      expect([pathOf(field.mn), pathOf(field.cn)]).toEqual(["direct host host", "direct host host"]);
      expect(counter(field[to], "restarts.reverted")).toBe(1);
    }
  });

  test("does not keep the true peer from a restart of his own, nor from moving", () => {
    const { field, flows, forger } = talking(OPEN, to, 20_000);
    field.net.time.at(5000, () => forge(forger));
    const peer = to === "mn" ? field.cn : field.mn;
    field.net.time.at(6000, () => offer(peer, field[to]));
    field.runFor(30_000);
    expect(lost(flows)).toEqual([0, 0]);
    expect([pathOf(field.mn), pathOf(field.cn)]).toEqual(["direct host host", "direct host host"]);
    expect(eventsOf(peer, "nominated").length).toBe(2);
  });
});

const DIRECT = "direct server-reflexive server-reflexive";

test("a restart that the peer cannot complete leaves data on the direct path", () => {
  const field = createBattlefield({ a: { access: ACCESS }, b: { access: ACCESS } });
  field.connect();
  field.net.time.runUntil(3000);
  const flows = [createNumberedFlow(field.mn, field.cn), createNumberedFlow(field.cn, field.mn)];
  for (const flow of flows) flow.sendEvery(50, 80_000);
  // Nothing of the signalling between the home agents arrives any more.
  field.net.intercept(({ packet, segment }) => segment !== "internet" || packet.kind !== "ipv6");
  offer(field.mn, field.cn);
  field.runFor(90_000);
  expect(lost(flows)).toEqual([0, 0]);
  expect(counter(field.mn, "restarts.reverted")).toBe(1);
  expect([pathOf(field.mn), pathOf(field.cn)]).toEqual(["direct host host", "direct host host"]);
});
