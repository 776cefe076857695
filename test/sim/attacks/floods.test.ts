import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { InstantMs } from "../../../agent/src/core/machine.ts";
import { makeCredentials } from "../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import { encodeMipIce, type MipIceDescription } from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import { encodeMobilityMessage, NO_FLAGS } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import type { NodeMachine } from "../../../agent/src/core/node/node-machine.ts";
import { encodeStun } from "../../../agent/src/core/stun/message.ts";
import {
  createNumberedFlow,
  eventsOf,
  type SeededRng,
  type SimPacket,
  seededRng,
} from "../../../agent/src/testing/index.ts";
import { CONNECT_AT, offer, pathOf } from "../scenario.ts";
import { ATTACKER_IP, VICTIM_IP } from "./attacker.ts";
import { type Battlefield, counter, createBattlefield, OPEN } from "./battlefield.ts";
import { RogueNode } from "./rogue-node.ts";

const HOME_AGENT = { ip: "198.18.0.3", port: 4191 };

/** An offer from the `i`-th home address of a home network, with fresh credentials, to `to`. */
function offerFrom(network: string, i: number, to: string, rng: SeededRng): Uint8Array {
  const homeAddress = `${network}::${(i + 0x1000).toString(16)}`;
  const description: MipIceDescription = {
    isLite: false,
    isMismatch: false,
    credentials: makeCredentials(rng),
    options: [],
    candidates: [
      // No host answers at this address: checks continue for as long as they can.
      ...[1, 2, 3, 4].map((port) => ({ type: "host", address: { ip: VICTIM_IP, port }, priority: 9 - port }) as const),
      { type: "relayed", address: { ip: homeAddress, port: 7000 }, priority: 0x00ffffff },
    ],
    remoteCandidates: [],
  };
  const endpoints = { source: homeAddress, destination: to };
  const options = encodeMipIce(description);
  const message = { type: "care-of-test-init-ice", careOfInitCookie: rng.bytes(8), options } as const;
  return encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints);
}

/** Offers to the correspondent, 200 a second, each from another home address of one network. */
function floodOffers(field: Battlefield, durationMs: number): void {
  const { time } = field.net;
  const rng = seededRng(24);
  for (let i = 0; i * 5 < durationMs; i++)
    time.at(time.now + i * 5, () => field.attacker.sendIpv6(offerFrom("2001:db8:c", i, field.cn.homeAddress, rng)));
}

/** Packets that the correspondent sent, after an instant. */
function sentBy(field: Battlefield, from: string, sinceMs: InstantMs): readonly SimPacket[] {
  return field.net.trace.filter((entry) => entry.from === from && entry.atMs >= sinceMs).map(({ packet }) => packet);
}

const OFFER_OCTETS = offerFrom("2001:db8:c", 0, "2001:db8:b::200", seededRng(1)).length;

describe("S24: 200 offers a second, each from another home address", () => {
  test("a few are answered, with messages hardly larger than the offers; the rest is counted", () => {
    const field = createBattlefield(OPEN);
    field.net.time.runUntil(CONNECT_AT);
    floodOffers(field, 5000);
    field.runFor(5100);
    const begun = eventsOf(field.cn, "offer-received").length;
    expect(begun).toBeGreaterThan(20);
    expect(begun).toBeLessThanOrEqual(20 + 10 * 5);
    expect(eventsOf(field.cn, "answer-sent").length).toBeLessThanOrEqual(begun);
    expect(counter(field.cn, "dropped.session-rate")).toBe(1000 - begun);
    const sizes = sentBy(field, "cn", CONNECT_AT).map(({ payload }) => payload.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(OFFER_OCTETS);
  });

  test.each([
    { name: "a node of another home network gets its session through, and the direct path", from: "mn", to: "cn" },
    { name: "the flooded node gets a session of its own through as well", from: "cn", to: "mn" },
  ] as const)("$name", ({ from, to }) => {
    const field = createBattlefield(OPEN);
    field.net.time.runUntil(CONNECT_AT);
    floodOffers(field, 9000);
    field.runFor(6000);
    offer(field[from], field[to]);
    expect(field.runUntilBoth("nominated", 2500)).toBe(true);
    field.runFor(200);
    expect([pathOf(field.mn), pathOf(field.cn)]).toEqual(["direct host host", "direct host host"]);
  });

  test("a session that stands keeps its path and loses no packet", () => {
    const field = createBattlefield(OPEN);
    field.connect();
    field.runFor(2000);
    floodOffers(field, 5000);
    const data = [createNumberedFlow(field.mn, field.cn), createNumberedFlow(field.cn, field.mn)];
    for (const flow of data) flow.sendEvery(50, 5000);
    field.runFor(6000);
    expect(data.map((flow) => flow.arrivals().length)).toEqual([100, 100]);
    expect(eventsOf(field.cn, "path").filter(({ event }) => event.peer === field.mn.homeAddress).length).toBe(1);
  });
});

test("a thousand checks a second with wrong credentials leave a session as it is; ten a second are answered, by less", () => {
  const field = createBattlefield(OPEN);
  const { attacker, cn, mn, net } = field;
  const rng = seededRng(401);
  field.connect();
  field.runFor(2000);
  const before = eventsOf(cn, "path").length;
  const sizes = new Set<number>();
  const startedAt = net.time.now;
  for (let i = 0; i < 5000; i++) {
    const message = {
      class: "request",
      method: 1,
      transactionId: rng.bytes(12),
      attributes: [
        { type: "username", value: "AAAA:BBBB" },
        { type: "priority", value: 1 },
        { type: "ice-controlling", value: 1n },
      ],
    } as const;
    const payload = encodeStun(message, { key: rng.bytes(22), fingerprint: true });
    sizes.add(payload.length);
    net.time.at(startedAt + i, () => attacker.send({ ip: ATTACKER_IP, port: 1024 + i }, cn.socket, payload));
  }
  const flow = createNumberedFlow(mn, cn);
  flow.sendEvery(50, 5000);
  field.runFor(6000);
  const answered = attacker.datagrams().length;
  expect(answered).toBeGreaterThanOrEqual(20);
  expect(answered).toBeLessThanOrEqual(20 + 10 * 5);
  expect(counter(cn, "refused.stun-401")).toBe(answered);
  expect(counter(cn, "dropped.stun-refusal-rate")).toBe(5000 - answered);
  expect(Math.max(...attacker.datagrams().map(({ payload }) => payload.length))).toBeLessThan(Math.min(...sizes));
  expect([flow.arrivals().length, eventsOf(cn, "path").length]).toEqual([100, before]);
});

/** Sends the home agent of the correspondent a registration of the `i`-th address of its home network. */
function registrationOf(i: number): Uint8Array {
  const endpoints = { source: `2001:db8:b::${(i + 0x1000).toString(16)}`, destination: "2001:db8:b::1" };
  const update = {
    type: "binding-update",
    sequence: 1,
    flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
    lifetimeSec: 600,
    options: [{ type: "ipv4-care-of-address", address: ATTACKER_IP }],
  } as const;
  return encodeMobilityPacket(encodeMobilityMessage(update, endpoints), endpoints);
}

describe("registrations of five thousand home addresses", () => {
  test("fill the table to its limit; whoever is registered stays so and goes on", () => {
    const field = createBattlefield(OPEN);
    const { attacker, cn, mn, net } = field;
    net.time.runUntil(CONNECT_AT);
    for (let i = 0; i < 5000; i++)
      net.time.at(CONNECT_AT + i / 5, () =>
        attacker.send({ ip: ATTACKER_IP, port: 7000 }, HOME_AGENT, registrationOf(i)),
      );
    field.runFor(1500);
    const { "registrations.accepted": accepted, "registrations.rejected": rejected } = cn.homeAgent.machine.counters();
    expect([accepted, rejected]).toEqual([4096, 5001 - 4096]);
    offer(mn, cn);
    expect(field.runUntilBoth("path", 5000)).toBe(true);
    expect(pathOf(cn)).toBe("direct host host");
  });

  test("do not keep out a node that has a key", () => {
    const key = new TextEncoder().encode("the key of node and home agent");
    const field = createBattlefield({ ...OPEN, b: { ...OPEN.b, registrationKey: key } });
    const { attacker, cn, mn, net } = field;
    net.time.runUntil(CONNECT_AT);
    // The node is cut off until its binding has expired, while others request a place.
    attacker.sitOnPath((_packet, from) => from === "cn" && net.time.now < 700_000);
    for (let i = 0; i < 5000; i++)
      net.time.at(650_000 + i, () => attacker.send({ ip: ATTACKER_IP, port: 7000 }, HOME_AGENT, registrationOf(i)));
    net.time.runUntil(699_000);
    expect(cn.homeAgent.events.some(({ event }) => event.type === "binding-removed")).toBe(true);
    expect(cn.homeAgent.machine.counters()["registrations.rejected"]).toBe(5000);
    const registered = eventsOf(cn, "registered").length;
    net.time.runUntil(740_000);
    expect(eventsOf(cn, "registered").length).toBe(registered + 1);
    offer(mn, cn);
    expect(field.runUntilBoth("path", 5000)).toBe(true);
  });
});

describe("memory after a flood", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;

  /** Octets of heap that `action` retains. */
  function growthOf(action: () => void): number {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    action();
    collectGarbage();
    return process.memoryUsage().heapUsed - before;
  }

  /** Feeds a node directly, without the simulated network, which records every packet. */
  function feed(
    machine: NodeMachine,
    datagrams: Iterable<Parameters<NodeMachine["handleDatagram"]>[1]>,
    from: InstantMs,
  ): void {
    let now = from;
    for (const datagram of datagrams) {
      now += 1;
      machine.handleDatagram(now, datagram);
      if ((machine.pollTimeout() ?? Infinity) <= now) machine.handleTimeout(now);
      while (machine.pollTransmit() !== undefined);
      while (machine.pollTunPacket() !== undefined);
      while (machine.pollEvent() !== undefined);
    }
  }

  const MEBIBYTE = 1024 * 1024;

  test("of 3,000 offers is bounded by the table of 64 sessions", () => {
    const { cn, net } = createBattlefield(OPEN);
    net.time.runUntil(CONNECT_AT);
    const rng = seededRng(1);
    function* offers() {
      for (let i = 0; i < 3000; i++) {
        const network = `2001:db8:${(i % 500).toString(16)}`;
        yield { local: cn.socket, remote: HOME_AGENT, payload: offerFrom(network, i, cn.homeAddress, rng) };
      }
    }
    const { machine } = cn.node;
    feed(machine, offers(), CONNECT_AT);
    const growth = growthOf(() => feed(machine, offers(), CONNECT_AT + 30_000));
    expect(growth).toBeLessThan(2 * MEBIBYTE);
  });

  test("of 20,000 genuine checks by a peer that never nominates is bounded", () => {
    const field = createBattlefield(OPEN);
    const { attacker, cn, net } = field;
    const rogue = new RogueNode(attacker, cn.homeAddress);
    rogue.answersChecks = true;
    rogue.register();
    field.runFor(1000);
    rogue.offer([{ type: "host", address: rogue.socket }]);
    field.runFor(1000);
    // One pair is valid; the checks arrive on another one, which does not answer.
    expect(eventsOf(cn, "pair-valid").length).toBe(1);
    function* checks() {
      const remote = { ip: VICTIM_IP, port: 9 };
      for (let i = 0; i < 20_000; i++) yield { local: cn.socket, remote, payload: rogue.encodeCheck() };
    }
    const { machine } = cn.node;
    feed(machine, checks(), net.time.now);
    const growth = growthOf(() => feed(machine, checks(), net.time.now + 30_000));
    expect(machine.counters()["checks.answered-with-200"]).toBe(40_000);
    expect(growth).toBeLessThan(MEBIBYTE / 2);
  });

  test("of 5,000 registrations is bounded by the table of 4096 bindings", () => {
    const { cn, net } = createBattlefield(OPEN);
    net.time.runUntil(CONNECT_AT);
    const local = HOME_AGENT;
    function* registrations() {
      for (let i = 0; i < 5000; i++)
        yield { local, remote: { ip: ATTACKER_IP, port: 7000 }, payload: registrationOf(i) };
    }
    const { machine } = cn.homeAgent;
    const growth = growthOf(() => feed(machine, registrations(), CONNECT_AT));
    expect(growth).toBeLessThan(8 * MEBIBYTE);
    expect(growthOf(() => feed(machine, registrations(), CONNECT_AT + 30_000))).toBeLessThan(MEBIBYTE);
  });
});
