/** Recorded registrations, and clocks that differ, between a real mobile node's registration and a real home agent. */

import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { createMobileNode } from "../../../../agent/src/core/mice/mobile-node.ts";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import { HomeRegistration } from "../../../../agent/src/core/mip6/home-registration.ts";
import { decodeIpv6Packet } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  type BindingAcknowledgement,
  type BindingUpdate,
  decodeMobilityMessage,
  NO_FLAGS,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../agent/src/core/mip6/mobility-header.ts";
import { ntpElapsedMs, ntpFraction, ntpTimestamp } from "../../../../agent/src/core/mip6/ntp-timestamp.ts";
import { findOption } from "../../../../agent/src/core/mip6/options.ts";
import { encodeAuthenticated } from "../../../../agent/src/core/mip6/registration-authentication.ts";
import type { NodeMachine } from "../../../../agent/src/core/node/node-machine.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";
import { fromHex } from "../../../vectors/hex.ts";

const HA = "2001:db8:a::1";
const MN = "2001:db8:a::100";
const KEY = fromHex("000102030405060708090a0b0c0d0e0f");
const TUNNEL: SocketAddress = { ip: "198.18.0.2", port: 4191 };
const CARE_OF: SocketAddress = { ip: "198.18.0.10", port: 40_001 };
const ATTACKER: SocketAddress = { ip: "198.18.0.66", port: 6666 };
/** Some day of 2026. */
const UNIX_MS = Date.UTC(2026, 10, 30, 12);

/** A home agent that has not started. */
function unstartedHomeAgent(): NodeMachine {
  return createHomeAgent(
    {
      address: HA,
      homePrefix: "2001:db8:a::/64",
      tunnelSockets: [TUNNEL],
      stunSockets: [],
      registrationKeys: new Map([[MN, KEY]]),
      clockOriginMs: UNIX_MS,
    },
    seededRng(1),
  );
}

/** A home agent that starts at this instant. */
function homeAgent(startedAt: number): NodeMachine {
  const agent = unstartedHomeAgent();
  agent.start(startedAt);
  return agent;
}

/** A node whose clock is wrong by this much. */
function mobileNode({ offsetMs = 0, firstSequence = 1 } = {}): HomeRegistration {
  return new HomeRegistration({
    homeAddress: MN,
    homeAgentAddress: HA,
    key: KEY,
    clockOriginMs: UNIX_MS + offsetMs,
    firstSequence,
  });
}

/** What the home agent answers to a packet from this source. */
function answerTo(agent: NodeMachine, now: number, payload: Uint8Array, remote = CARE_OF): Answer | undefined {
  agent.handleDatagram(now, { local: TUNNEL, remote, payload });
  const inner = decodeIpv6Packet(agent.pollTransmit()?.payload ?? new Uint8Array());
  if (!inner.ok) return undefined;
  const message = decodeMobilityMessage(inner.value.payload, { source: HA, destination: MN });
  if (!message.ok || message.value.type !== "binding-acknowledgement") throw new Error("no acknowledgement");
  return { message: message.value, header: inner.value.payload };
}

interface Answer {
  readonly message: BindingAcknowledgement;
  readonly header: Uint8Array;
}

/** Carries updates to the home agent and its answers back until there are no more; returns the updates. */
function exchange(node: HomeRegistration, agent: NodeMachine, now: number): Uint8Array[] {
  const updates: Uint8Array[] = [];
  for (let packet = node.pollPacket(); packet !== undefined; packet = node.pollPacket()) {
    updates.push(packet);
    const answer = answerTo(agent, now, packet);
    if (answer !== undefined) node.handleAcknowledgement(now, answer.message, answer.header);
  }
  return updates;
}

function timestampOf({ options }: Pick<BindingUpdate, "options">): bigint {
  return findOption(options, "replay-protection")?.timestamp ?? 0n;
}

function updateIn(packet: Uint8Array): BindingUpdate {
  const inner = decodeIpv6Packet(packet);
  const message = inner.ok && decodeMobilityMessage(inner.value.payload, { source: MN, destination: HA });
  if (message === false || !message.ok || message.value.type !== "binding-update") throw new Error("no Binding Update");
  return message.value;
}

/** An authentic update with any timestamp. */
function updateWith(sequence: number, timestamp: bigint | undefined): Uint8Array {
  const endpoints = { source: MN, destination: HA };
  const update: BindingUpdate = {
    type: "binding-update",
    sequence,
    flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
    lifetimeSec: 600,
    options: [
      { type: "ipv4-care-of-address", address: CARE_OF.ip },
      ...(timestamp === undefined ? [] : [{ type: "replay-protection" as const, timestamp }]),
    ],
  };
  const authentication = { key: KEY, careOf: CARE_OF.ip, homeAddress: MN };
  return encodeMobilityPacket(encodeAuthenticated(update, endpoints, authentication), endpoints);
}

describe("a recorded registration", () => {
  test.each([
    { name: "after the node has left", leave: true, restart: false, replayAt: 3000 },
    { name: "after the home agent has restarted, a second later", leave: false, restart: true, replayAt: 2000 },
    { name: "after both, a day later", leave: true, restart: true, replayAt: 86_400_000 },
  ])("is refused with 144 $name", ({ leave, restart, replayAt }) => {
    let agent = homeAgent(0);
    const node = mobileNode();
    node.retarget(1000, CARE_OF);
    const recorded = exchange(node, agent, 1010);
    if (leave) {
      node.deregister(1500);
      recorded.push(...exchange(node, agent, 1510));
    }
    if (restart) agent = homeAgent(1600);
    while (agent.pollEvent() !== undefined);
    for (const packet of recorded) {
      expect(answerTo(agent, replayAt, packet, ATTACKER)?.message.status).toBe(144);
    }
    expect(agent.pollEvent()).toBeUndefined();
    expect(agent.counters()["registrations.rejected"]).toBe(recorded.length);
  });

  test("is refused, and the node registers at once with a home agent that has forgotten everything", () => {
    const node = mobileNode({ firstSequence: 0xffff });
    node.retarget(1000, CARE_OF);
    exchange(node, homeAgent(0), 1010);
    const restarted = homeAgent(1600);
    node.retarget(1700, CARE_OF);
    expect(exchange(node, restarted, 1710)).toHaveLength(1);
    expect(restarted.counters()).toEqual({ "registrations.accepted": 1 });
  });
});

describe("timestamps at the home agent", () => {
  test.each([
    { offsetSec: 0, status: 0 },
    { offsetSec: 6.9, status: 0 },
    { offsetSec: -6.9, status: 0 },
    { offsetSec: 7.1, status: 144 },
    { offsetSec: -7.1, status: 144 },
    { offsetSec: 86_400, status: 144 },
  ])("a timestamp $offsetSec s from the home agent's clock gets status $status", ({ offsetSec, status }) => {
    const timestamp = ntpTimestamp(UNIX_MS + 100_000 + offsetSec * 1000);
    expect(answerTo(homeAgent(0), 100_000, updateWith(1, timestamp))?.message.status).toBe(status);
  });

  test("each is accepted once, and none that is earlier, whatever the sequence number", () => {
    const agent = homeAgent(0);
    const at = (ms: number) => ntpTimestamp(UNIX_MS + ms);
    const statuses = [1000, 1000, 999, 1001].map(
      (ms, i) => answerTo(agent, 1500, updateWith(i + 1, at(ms)))?.message.status,
    );
    expect(statuses).toEqual([0, 144, 144, 0]);
  });

  test("the answer to a wrong time has the home agent's seconds and the update's fraction", () => {
    const wrong = ntpTimestamp(UNIX_MS - 3_600_000 + 123);
    const answer = answerTo(homeAgent(0), 5700, updateWith(1, wrong));
    const corrected = answer === undefined ? 0n : timestampOf(answer.message);
    expect(corrected >> 32n).toBe(ntpTimestamp(UNIX_MS + 5700) >> 32n);
    expect(ntpFraction(corrected)).toBe(ntpFraction(wrong));
  });

  test("an update without one is taken from a node that never sent any, and refused with 145 after one with it", () => {
    const agent = homeAgent(0);
    expect(answerTo(agent, 10, updateWith(1, undefined))?.message.status).toBe(0);
    expect(answerTo(agent, 20, updateWith(2, ntpTimestamp(UNIX_MS + 20)))?.message.status).toBe(0);
    expect(answerTo(agent, 30, updateWith(3, undefined))?.message.status).toBe(145);
  });
});

describe("the mobile node", () => {
  test.each([{ offsetSec: -3600 }, { offsetSec: 3600 }, { offsetSec: 30 * 365 * 86_400 }])(
    "whose clock is wrong by $offsetSec s registers with its second update, and keeps the home agent's time",
    ({ offsetSec }) => {
      const agent = homeAgent(0);
      const node = mobileNode({ offsetMs: offsetSec * 1000 });
      node.retarget(1000, CARE_OF);
      expect(exchange(node, agent, 1010)).toHaveLength(2);
      expect(node.registration?.lifetimeSec).toBe(600);
      node.retarget(500_000, CARE_OF);
      const [update = new Uint8Array()] = exchange(node, agent, 500_010);
      const errorMs = ntpElapsedMs(ntpTimestamp(UNIX_MS + 500_000), timestampOf(updateIn(update)));
      expect(errorMs).toBeGreaterThanOrEqual(0);
      expect(errorMs).toBeLessThan(2000);
      expect(agent.counters()).toEqual({ "registrations.accepted": 2, "registrations.rejected": 1 });
    },
  );

  test("corrects its time three times at most, and then tries again half a minute later", () => {
    const node = mobileNode();
    const elsewhere = unstartedHomeAgent();
    // A home agent whose time leaps a minute with each update.
    node.retarget(0, CARE_OF);
    let sent = 0;
    for (let now = 0, leap = 0; now < 20_000; now += 1000) {
      node.handleTimeout(now);
      for (let packet = node.pollPacket(); packet !== undefined; packet = node.pollPacket()) {
        sent += 1;
        leap += 60_000;
        const answer = answerTo(elsewhere, now + leap, packet);
        if (answer !== undefined) node.handleAcknowledgement(now, answer.message, answer.header);
      }
    }
    expect(sent).toBe(4);
    expect(node.pollTimeout()).toBeGreaterThanOrEqual(32_000);
  });

  test("an answer recorded with another timestamp does not count, whatever its sequence number", () => {
    const node = mobileNode({ firstSequence: 5 });
    node.retarget(1000, CARE_OF);
    const recorded = answerTo(homeAgent(0), 1010, node.pollPacket() ?? new Uint8Array());
    if (recorded === undefined) throw new Error("no answer");
    const restarted = mobileNode({ firstSequence: 5 });
    restarted.retarget(9000, CARE_OF);
    expect(restarted.handleAcknowledgement(9010, recorded.message, recorded.header)).toBe(false);
    expect(restarted.registration).toBeUndefined();
  });

  test("begins with the sequence number that it is given, and goes round", () => {
    const node = mobileNode({ firstSequence: 0xffff });
    node.retarget(0, CARE_OF);
    node.retarget(10, CARE_OF);
    const sequences = [node.pollPacket(), node.pollPacket()].map(
      (packet) => updateIn(packet ?? new Uint8Array()).sequence,
    );
    expect(sequences).toEqual([0xffff, 0]);
  });

  test("draws its first sequence number", () => {
    const drawn = [1, 2, 3].map((seed) => {
      const homeAgentAccess = { address: HA, tunnel: [TUNNEL] };
      const config = { homeAddress: MN, homeAgent: homeAgentAccess, stunServers: [], sockets: [CARE_OF] };
      const machine = createMobileNode(config, seededRng(seed));
      machine.start(0);
      return updateIn(machine.pollTransmit()?.payload ?? new Uint8Array()).sequence;
    });
    expect(new Set(drawn).size).toBe(3);
    expect(Math.max(...drawn)).toBeGreaterThan(255);
  });
});
