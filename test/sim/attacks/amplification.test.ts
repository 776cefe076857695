import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import { encodeMobilityMessage, NO_FLAGS } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { bindingManagementKey, encodeAuthorized } from "../../../agent/src/core/mip6/return-routability.ts";
import { encodeUdpInIpv6 } from "../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { encodeStun } from "../../../agent/src/core/stun/message.ts";
import { eventsOf } from "../../../agent/src/testing/index.ts";
import { ACCESS, pathOf } from "../scenario.ts";
import { type Arrival, dataAmong, stunOf, VICTIM_IP, VICTIM_IPV6 } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, mentions, OPEN } from "./battlefield.ts";
import { ROGUE_HOME, RogueNode } from "./rogue-node.ts";

const V: SocketAddress = { ip: VICTIM_IP, port: 9999 };

/** Sends data from the correspondent to the rogue's home address. */
function sendData({ cn }: Battlefield, count: number): void {
  for (let i = 0; i < count; i++) {
    const packet = encodeUdpInIpv6({
      source: { ip: cn.homeAddress, port: 7 },
      destination: { ip: ROGUE_HOME, port: 7 },
      payload: new Uint8Array(64),
    });
    cn.node.tell((machine, now) => machine.handleTunPacket(now, packet));
  }
}

/** Requests by check: the number of transmissions, and the time of the first. */
function checksAmong(arrivals: readonly Arrival[]): readonly { readonly requests: number; readonly firstAt: number }[] {
  const checks = new Map<string, { requests: number; firstAt: number }>();
  for (const { atMs, packet } of arrivals) {
    const message = stunOf(packet);
    if (message?.class !== "request") continue;
    const key = Buffer.from(message.transactionId).toString("hex");
    const known = checks.get(key);
    if (known === undefined) checks.set(key, { requests: 1, firstAt: atMs });
    else known.requests += 1;
  }
  return [...checks.values()];
}

/** A registered rogue node that has offered these candidates to the correspondent and received its answer. */
function rogueWith(addresses: readonly SocketAddress[], prepare: (rogue: RogueNode) => void = () => undefined) {
  const field = createBattlefield(OPEN);
  const rogue = new RogueNode(field.attacker, field.cn.homeAddress);
  prepare(rogue);
  rogue.register();
  field.runFor(1000);
  rogue.offer(addresses.map((address) => ({ type: "host", address })));
  field.runFor(100);
  return { field, rogue };
}

test("S9: a victim that the STUN server names as mapped address gets a few unanswered checks, and no data", () => {
  const field = createBattlefield({ a: { nat: {}, access: ACCESS }, b: { access: ACCESS } });
  const { attacker, victim, mn, cn } = field;
  attacker.sitOnPath((packet, from) => {
    const answer = stunOf(packet);
    if (from !== "ha-a" || packet.kind !== "udp" || packet.source.port !== 3478 || answer === undefined) return false;
    const attributes = [{ type: "xor-mapped-address", value: V }] as const;
    attacker.send(packet.source, packet.destination, encodeStun({ ...answer, attributes }, { fingerprint: true }));
    return true;
  });
  field.connect();
  field.runFor(20_000);
  const offered = eventsOf(mn, "candidate").map(
    ({ event: { candidate } }) => `${candidate.type} ${candidate.address.ip}`,
  );
  expect(offered).toContain(`server-reflexive ${V.ip}`);
  const checks = checksAmong(victim.arrivals);
  expect(checks.length).toBe(1);
  for (const { requests } of checks) expect(requests).toBeLessThanOrEqual(7);
  expect(dataAmong(victim.arrivals)).toEqual([]);
  expect([pathOf(mn), pathOf(cn)]).toEqual(["direct peer-reflexive host", "direct host peer-reflexive"]);
  expect(mentions(cn, V.ip, "pair-valid", "nominated", "path")).toBe(false);
});

describe("S11: an offer and a Binding Update that aim at somebody else", () => {
  test("the victim gets seven requests at most and no data; the update is answered 174", () => {
    const { field, rogue } = rogueWith([V]);
    sendData(field, 10);
    field.runFor(5000);
    rogue.update({ careOf: V.ip, sequence: 1 });
    field.runFor(1000);
    sendData(field, 10);
    field.runFor(10_000);
    expect(rogue.acknowledgements(V.ip)).toEqual(["174 sequence 1 signed"]);
    expect(checksAmong(field.victim.arrivals).map(({ requests }) => requests)).toEqual([7]);
    expect(dataAmong(field.victim.arrivals)).toEqual([]);
    expect(counter(field.cn, "data.sent-direct")).toBe(0);
  });

  test("the same from a node that has a pair of its own: only the address of that pair is ever accepted", () => {
    const { field, rogue } = rogueWith([V, { ip: "198.18.0.66", port: 7000 }], (node) => {
      node.answersChecks = true;
    });
    rogue.check(field.cn.socket);
    field.runFor(300);
    rogue.check(field.cn.socket, { useCandidate: true });
    field.runFor(300);
    rogue.update({ careOf: V.ip, sequence: 1 });
    field.runFor(3000);
    expect(rogue.acknowledgements(V.ip)).toEqual(["174 sequence 1 signed"]);
    sendData(field, 10);
    field.runFor(1000);
    expect([dataAmong(field.victim.arrivals), counter(field.cn, "data.sent-direct")]).toEqual([[], 0]);

    rogue.update({ careOf: rogue.socket.ip, sequence: 2 });
    field.runFor(1000);
    expect(rogue.acknowledgements(rogue.socket.ip).at(-1)).toBe("0 sequence 2 signed");
    sendData(field, 10);
    field.runFor(1000);
    expect([dataAmong(field.victim.arrivals), counter(field.cn, "data.sent-direct")]).toEqual([[], 10]);
  });
});

test("S12: without M-ICE there is no route optimisation: a legacy CoTI gets no CoT, a classic update no binding", () => {
  const field = createBattlefield(OPEN);
  const { attacker, victim, cn } = field;
  const rogue = new RogueNode(attacker, cn.homeAddress);
  rogue.register();
  field.runFor(1000);
  rogue.say({ type: "home-test-init", homeInitCookie: new Uint8Array(8), options: [] });
  const fromVictim = { source: VICTIM_IPV6, destination: cn.homeAddress };
  const init = { type: "care-of-test-init", careOfInitCookie: new Uint8Array(8), options: [] } as const;
  attacker.sendIpv6(encodeMobilityPacket(encodeMobilityMessage(init, fromVictim), fromVictim));
  field.runFor(1000);
  expect(rogue.all("home-test").length).toBe(1);
  expect(counter(cn, "dropped.no-session")).toBe(1);

  const { homeKeygenToken, homeNonceIndex } = rogue.all("home-test")[0] ?? {
    homeKeygenToken: new Uint8Array(8),
    homeNonceIndex: 0,
  };
  const toCorrespondent = { source: ROGUE_HOME, destination: cn.homeAddress };
  const update = {
    type: "binding-update",
    sequence: 1,
    flags: { ...NO_FLAGS, acknowledge: true },
    lifetimeSec: 420,
    options: [
      { type: "alternate-care-of-address", address: VICTIM_IPV6 },
      { type: "nonce-indices", home: homeNonceIndex, careOf: homeNonceIndex },
    ],
  } as const;
  const key = bindingManagementKey(homeKeygenToken, new Uint8Array(8));
  const authorization = { key, careOf: VICTIM_IPV6, correspondent: cn.homeAddress };
  rogue.sayHeader(encodeAuthorized(update, toCorrespondent, authorization));
  field.runFor(1000);
  sendData(field, 10);
  field.runFor(1000);
  expect(counter(cn, "dropped.no-session")).toBe(2);
  expect(counter(cn, "data.sent-direct")).toBe(0);
  expect([rogue.all("binding-acknowledgement"), victim.arrivals]).toEqual([[], []]);
});

test("S13: fifty candidates that all mean one victim cost it 31 checks of 7 requests, never two new ones within a Ta", () => {
  const { field, rogue } = rogueWith(Array.from({ length: 50 }, (_, i) => ({ ip: V.ip, port: 1000 + i })));
  field.runFor(60_000);
  const { arrivals } = field.victim;
  const checks = checksAmong(arrivals);
  expect(rogue.all("care-of-test-ice").length).toBe(1);
  expect(counter(field.cn, "dropped.check-too-many-candidates")).toBe(19);
  // The last of 32 candidates is the rogue's home address.
  expect(checks.map(({ requests }) => requests)).toEqual(Array<number>(31).fill(7));
  const gaps = checks.slice(1).map(({ firstAt }, i) => firstAt - (checks[i]?.firstAt ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20);
  // The bounds of SPEC 10: 700 requests in all, 325 kbit/s.
  expect(arrivals.length).toBeLessThanOrEqual(700);
  expect(busiestSecond(arrivals)).toBeLessThanOrEqual(325_000);
  expect(dataAmong(arrivals)).toEqual([]);
});

/** Highest number of bits that arrived within one second, IP and UDP headers included. */
function busiestSecond(arrivals: readonly Arrival[]): number {
  const within = ({ atMs }: Arrival): number =>
    arrivals
      .filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000)
      .reduce((bits, { packet }) => bits + 8 * (28 + packet.payload.length), 0);
  return Math.max(...arrivals.map(within));
}
