import { beforeEach, describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import { HomeRegistration, type HomeRegistrationEvent } from "../../../../agent/src/core/mip6/home-registration.ts";
import { decodeIpv6Packet } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  type BindingAcknowledgement,
  type BindingUpdate,
  decodeMobilityMessage,
  encodeMobilityMessage,
} from "../../../../agent/src/core/mip6/messages.ts";
import { findOption } from "../../../../agent/src/core/mip6/options.ts";
import { encodeAuthenticated } from "../../../../agent/src/core/mip6/registration-authentication.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";
import { fromHex } from "../../../vectors/hex.ts";

const HA = "2001:db8:a::1";
const MN = "2001:db8:a::100";
const FROM_HA = { source: HA, destination: MN };
const HOME_LAN: SocketAddress = { ip: "192.168.1.2", port: 40001 };
const OFFICE_LAN: SocketAddress = { ip: "172.16.9.3", port: 40001 };
const KEY = fromHex("000102030405060708090a0b0c0d0e0f");

let registration: HomeRegistration;

beforeEach(() => {
  registration = new HomeRegistration({ homeAddress: MN, homeAgentAddress: HA });
});

describe("binding", () => {
  test("nothing is sent before a care-of address is known", () => {
    expect(registration.pollPacket()).toBeUndefined();
    expect(registration.pollTimeout()).toBeUndefined();
  });

  test("the first update asks for an acknowledged home registration of the IPv4 address", () => {
    registration.retarget(0, HOME_LAN);
    expect(sentUpdates(registration)).toEqual([
      {
        type: "binding-update",
        sequence: 1,
        flags: {
          acknowledge: true,
          homeRegistration: true,
          linkLocalCompatible: false,
          keyManagement: false,
          forceUdp: false,
        },
        lifetimeSec: 600,
        options: [{ type: "ipv4-care-of-address", address: HOME_LAN.ip }],
      },
    ]);
    expect(events(registration)).toEqual([{ type: "registration-sent", sequence: 1, careOf: HOME_LAN }]);
  });

  test("over IPv6 the update names an Alternate Care-of Address", () => {
    registration.retarget(0, { ip: "2001:db8:c::5", port: 40001 });
    expect(sentUpdates(registration)[0]?.options).toEqual([
      { type: "alternate-care-of-address", address: "2001:db8:c::5" },
    ]);
  });

  test("an acknowledgement makes the binding", () => {
    registration.retarget(0, HOME_LAN);
    expect(acknowledge(registration, 40, { sequence: 1 })).toBe(true);
    const expected = { careOf: HOME_LAN, natDetected: true, lifetimeSec: 600 };
    expect(registration.registration).toEqual({ ...expected, expiresAt: 600_040 });
    expect(events(registration)[1]).toEqual({ type: "registered", homeAddress: MN, ...expected });
    expect(registration.unanswered).toBe(0);
  });

  test("the first registration is repeated after 1.5 s, then at doubling distance up to 32 s, with new sequence numbers", () => {
    registration.retarget(0, HOME_LAN);
    const sentAt = wakeUpsUntil(registration, 160_000);
    expect(sentAt).toEqual([1500, 4500, 10_500, 22_500, 46_500, 78_500, 110_500, 142_500]);
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(registration.unanswered).toBe(9);
  });

  test("later registrations are repeated after 1 s first", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.retarget(5000, OFFICE_LAN);
    expect(wakeUpsUntil(registration, 10_000)).toEqual([6000, 8000]);
  });

  test("an acknowledgement of an earlier transmission counts", () => {
    registration.retarget(0, HOME_LAN);
    registration.handleTimeout(1500);
    expect(acknowledge(registration, 1600, { sequence: 1 })).toBe(true);
    expect(registration.registration).toBeDefined();
  });

  test.each([0, 2, 65_535])("an acknowledgement of sequence %i, which was not sent, does not count", (sequence) => {
    registration.retarget(0, HOME_LAN);
    expect(acknowledge(registration, 10, { sequence })).toBe(false);
    expect(registration.registration).toBeUndefined();
  });

  test("no more is granted than was asked for, whatever the home agent says", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 0, { sequence: 1, lifetimeSec: 262_140, options: [] });
    expect(registration.registration).toMatchObject({ lifetimeSec: 600, expiresAt: 600_000 });
    expect(registration.pollTimeout()).toBe(450_000);
  });

  test("a second acknowledgement changes nothing", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    expect(acknowledge(registration, 20, { sequence: 1, lifetimeSec: 4 })).toBe(false);
    expect(registration.registration?.lifetimeSec).toBe(600);
  });
});

describe("a binding that moves", () => {
  test("is in use at the old address until the home agent has answered from the new one", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.moveTo(5000, OFFICE_LAN);
    expect(registration.registration?.careOf).toEqual(HOME_LAN);
    expect(registration.unansweredSince).toBe(5000);
    acknowledge(registration, 5040, { sequence: 2 });
    expect(registration.registration?.careOf).toEqual(OFFICE_LAN);
    expect(registration.unansweredSince).toBeUndefined();
  });
});

describe("doubts about the binding", () => {
  test("are worth one update at once, and no other for five seconds", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    sentUpdates(registration);
    expect([20_000, 20_001, 24_999].map((at) => registration.confirm(at))).toEqual([true, false, false]);
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([2]);
    expect(registration.registration).toBeDefined();
    acknowledge(registration, 20_040, { sequence: 2 });
    expect(registration.confirm(25_000)).toBe(true);
  });

  test("bring an update forward whose repetition is far off", () => {
    registration.retarget(0, HOME_LAN);
    wakeUpsUntil(registration, 50_000);
    sentUpdates(registration);
    expect(registration.confirm(51_000)).toBe(true);
    expect(sentUpdates(registration).length).toBe(1);
    expect(acknowledge(registration, 51_040, { sequence: 7 })).toBe(true);
  });

  test("mean nothing where no binding is wanted", () => {
    expect(registration.confirm(0)).toBe(false);
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.deregister(20);
    expect(registration.confirm(30)).toBe(false);
  });
});

describe("a node that moves more than three times in a second", () => {
  const PLACES = ["172.16.9.3", "172.16.9.4", "172.16.9.5", "172.16.9.6"].map((ip) => ({ ip, port: 40001 }));

  beforeEach(() => {
    for (const [i, place] of PLACES.entries()) registration.retarget(10 * i, place);
  });

  test("registers its last place when a second has gone by since the first update, and repeats that as usual", () => {
    expect(careOfs()).toEqual(["172.16.9.3", "172.16.9.4", "172.16.9.5"]);
    expect(wakeUpsUntil(registration, 6000)).toEqual([1000, 2500, 5500]);
    expect(careOfs()).toEqual(["172.16.9.6", "172.16.9.6", "172.16.9.6"]);
  });

  test("takes no acknowledgement of an earlier place for one of the last", () => {
    expect(acknowledge(registration, 40, { sequence: 3 })).toBe(false);
    expect(registration.registration).toBeUndefined();
    registration.handleTimeout(1000);
    expect(acknowledge(registration, 1040, { sequence: 4 })).toBe(true);
    expect(registration.registration?.careOf).toEqual(PLACES[3]);
  });

  function careOfs(): readonly unknown[] {
    return sentUpdates(registration).map(({ options }) => findOption(options, "ipv4-care-of-address")?.address);
  }
});

describe("status codes", () => {
  test("135 is answered at once with the number after the one that the home agent remembers", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { status: 135, sequence: 4711, lifetimeSec: 0 });
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([1, 4712]);
    expect(acknowledge(registration, 20, { sequence: 4712 })).toBe(true);
    expect(registration.registration).toBeDefined();
  });

  test("a late 135 to a duplicate, older than what was sent, is ignored", () => {
    registration.retarget(0, HOME_LAN);
    registration.handleTimeout(1500);
    expect(acknowledge(registration, 1510, { status: 135, sequence: 1, lifetimeSec: 0 })).toBe(false);
    expect(sentUpdates(registration)).toHaveLength(2);
  });

  test("135 without end is followed three times in a second at most, and not without end", () => {
    registration.retarget(0, HOME_LAN);
    for (let i = 1; i <= 10; i++) acknowledge(registration, i, { status: 135, sequence: 1000 * i, lifetimeSec: 0 });
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([1, 1001, 2001]);
    expect(wakeUpsUntil(registration, 4000)).toEqual([1000, 2500]);
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([3001, 3002]);
  });

  test.each([
    { status: 129, reason: "129 (administratively prohibited)" },
    { status: 132, reason: "132 (not home subnet)" },
    { status: 200, reason: "200" },
  ])("$status ends the registration", ({ status, reason }) => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { status, sequence: 1, lifetimeSec: 0 });
    expect(events(registration).at(-1)).toEqual({ type: "registration-failed", reason });
    expect(registration.pollTimeout()).toBeUndefined();
  });

  test.each([128, 130])("%i is asked again after 32 s", (status) => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { status, sequence: 1, lifetimeSec: 0 });
    expect(events(registration).at(-1)).toMatchObject({ type: "registration-failed" });
    expect(registration.pollTimeout()).toBe(32_010);
    registration.handleTimeout(32_010);
    expect(sentUpdates(registration)).toHaveLength(2);
  });

  test("success without a lifetime is a failure", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1, lifetimeSec: 0 });
    expect(events(registration).at(-1)).toEqual({
      type: "registration-failed",
      reason: "the home agent granted no lifetime",
    });
  });
});

describe("keeping the binding", () => {
  test.each([
    { name: "behind a NAT after 110 s", options: nat(110), refreshAt: 110_000 },
    { name: "when the home agent wants it sooner", options: nat(30), refreshAt: 30_000 },
    { name: "after 110 s when the option names no time", options: nat(0), refreshAt: 110_000 },
    {
      name: "at three quarters of the lifetime when no keepalive is needed",
      options: nat(0xffff_ffff),
      refreshAt: 450_000,
    },
    { name: "at three quarters of the lifetime without a NAT", options: [], refreshAt: 450_000 },
    {
      name: "when Binding Refresh Advice says so",
      options: [{ type: "binding-refresh-advice", intervalSec: 60 } as const],
      refreshAt: 60_000,
    },
  ])("the update is repeated $name", ({ options, refreshAt }) => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 0, { sequence: 1, options });
    expect(registration.pollTimeout()).toBe(refreshAt);
    registration.handleTimeout(refreshAt - 1);
    expect(sentUpdates(registration)).toHaveLength(1);
    registration.handleTimeout(refreshAt);
    expect(sentUpdates(registration).map(({ sequence }) => sequence)).toEqual([2]);
  });

  test("the binding stays in force while it is refreshed, and expires when nobody answers", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 0, { sequence: 1, lifetimeSec: 100, options: [] });
    wakeUpsUntil(registration, 99_999);
    expect(registration.registration).toBeDefined();
    registration.handleTimeout(100_000);
    expect(registration.registration).toBeUndefined();
    expect(events(registration).at(-1)).toEqual({
      type: "registration-failed",
      reason: "the binding expired before the home agent answered",
    });
    registration.handleTimeout(registration.pollTimeout() ?? 0);
    const last = sentUpdates(registration).at(-1);
    expect(acknowledge(registration, 110_000, { sequence: last?.sequence ?? 0 })).toBe(true);
    expect(registration.registration).toBeDefined();
  });

  test("an early wake-up is harmless", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 0, { sequence: 1 });
    sentUpdates(registration);
    for (let now = 0; now < 100_000; now += 10_000) registration.handleTimeout(now);
    expect(registration.pollPacket()).toBeUndefined();
  });
});

describe("handover and end", () => {
  test("a new care-of address is registered at once, and the old binding no longer counts", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.retarget(5000, OFFICE_LAN);
    expect(registration.registration).toBeUndefined();
    expect(sentUpdates(registration).at(-1)).toMatchObject({
      sequence: 2,
      options: [{ type: "ipv4-care-of-address", address: OFFICE_LAN.ip }],
    });
    expect(acknowledge(registration, 5010, { sequence: 1 })).toBe(false);
    expect(acknowledge(registration, 5020, { sequence: 2 })).toBe(true);
    expect(registration.registration?.careOf).toEqual(OFFICE_LAN);
  });

  test("the same care-of address again is a refresh", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.retarget(5000, HOME_LAN);
    expect(registration.registration).toBeDefined();
    expect(sentUpdates(registration)).toHaveLength(2);
  });

  test.each([0, 133])("a deregistration ends with status %i", (status) => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 10, { sequence: 1 });
    registration.deregister(20);
    expect(sentUpdates(registration).at(-1)).toMatchObject({ sequence: 2, lifetimeSec: 0 });
    expect(acknowledge(registration, 30, { status, sequence: 2, lifetimeSec: 0 })).toBe(true);
    expect(registration.registration).toBeUndefined();
    expect(registration.pollTimeout()).toBeUndefined();
  });

  test("a deregistration that nobody answers is given up after three updates", () => {
    registration.retarget(0, HOME_LAN);
    acknowledge(registration, 0, { sequence: 1 });
    sentUpdates(registration);
    registration.deregister(0);
    expect(wakeUpsUntil(registration, 5000)).toEqual([1000, 3000]);
    // Three of them over one IP version are no reason to register over the other one.
    expect(registration.unanswered).toBe(0);
    expect(wakeUpsUntil(registration, 100_000)).toEqual([7000]);
    expect(sentUpdates(registration)).toHaveLength(3);
    expect(registration.pollTimeout()).toBeUndefined();
  });

  test("a node that never had a care-of address has nothing to deregister", () => {
    registration.deregister(0);
    expect(registration.pollPacket()).toBeUndefined();
  });
});

describe("with a shared key", () => {
  beforeEach(() => {
    registration = new HomeRegistration({ homeAddress: MN, homeAgentAddress: HA, key: KEY });
  });

  test("only an acknowledgement signed with it counts", () => {
    registration.retarget(0, HOME_LAN);
    expect(acknowledge(registration, 10, { sequence: 1 })).toBe(false);
    expect(acknowledgeSigned(registration, fromHex("ff"))).toBe(false);
    expect(acknowledgeSigned(registration, KEY)).toBe(true);
    expect(registration.registration).toBeDefined();
  });

  test("home agent and mobile node understand each other", () => {
    const tunnel = { ip: "198.18.0.1", port: 4191 };
    const agent = createHomeAgent(
      {
        address: HA,
        homePrefix: "2001:db8:a::/64",
        tunnelSockets: [tunnel],
        stunSockets: [],
        registrationKeys: new Map([[MN, KEY]]),
      },
      seededRng(1),
    );
    registration.retarget(0, HOME_LAN);
    const payload = registration.pollPacket() ?? new Uint8Array();
    agent.handleDatagram(10, { local: tunnel, remote: { ip: "198.18.0.10", port: 61001 }, payload });
    const answer = decodeIpv6Packet(agent.pollTransmit()?.payload ?? new Uint8Array());
    if (!answer.ok) throw new Error(answer.error.code);
    const message = decodeMobilityMessage(answer.value.payload, FROM_HA);
    if (!message.ok || message.value.type !== "binding-acknowledgement") throw new Error("no acknowledgement");
    expect(registration.handleAcknowledgement(20, message.value, answer.value.payload)).toBe(true);
    expect(registration.registration).toMatchObject({ natDetected: true, lifetimeSec: 600 });
  });
});

function nat(refreshSec: number): BindingAcknowledgement["options"] {
  return [{ type: "nat-detection", forceUdp: false, refreshSec }];
}

function acknowledgement(fields: Partial<BindingAcknowledgement>): BindingAcknowledgement {
  return {
    type: "binding-acknowledgement",
    status: 0,
    keyManagement: false,
    sequence: 1,
    lifetimeSec: 600,
    options: nat(110),
    ...fields,
  };
}

function acknowledge(machine: HomeRegistration, now: number, fields: Partial<BindingAcknowledgement>): boolean {
  const message = acknowledgement(fields);
  return machine.handleAcknowledgement(now, message, encodeMobilityMessage(message, FROM_HA));
}

function acknowledgeSigned(machine: HomeRegistration, key: Uint8Array): boolean {
  const message = acknowledgement({});
  const header = encodeAuthenticated(message, FROM_HA, { key, careOf: HOME_LAN.ip, homeAddress: MN });
  return machine.handleAcknowledgement(10, message, header);
}

/** Runs the machine by its wake-ups and returns their times. */
function wakeUpsUntil(machine: HomeRegistration, end: number): number[] {
  const wakeUps: number[] = [];
  for (let at = machine.pollTimeout(); at !== undefined && at <= end; at = machine.pollTimeout()) {
    wakeUps.push(at);
    machine.handleTimeout(at);
  }
  return wakeUps;
}

function sentUpdates(machine: HomeRegistration): BindingUpdate[] {
  const updates: BindingUpdate[] = [];
  for (let packet = machine.pollPacket(); packet !== undefined; packet = machine.pollPacket()) {
    const inner = decodeIpv6Packet(packet);
    if (!inner.ok) throw new Error(inner.error.code);
    const { source, destination, payload } = inner.value;
    expect({ source, destination }).toEqual({ source: MN, destination: HA });
    const message = decodeMobilityMessage(payload, { source, destination });
    if (!message.ok || message.value.type !== "binding-update") throw new Error("no Binding Update");
    updates.push(message.value);
  }
  return updates;
}

function events(machine: HomeRegistration): HomeRegistrationEvent[] {
  const taken: HomeRegistrationEvent[] = [];
  for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) taken.push(event);
  return taken;
}
