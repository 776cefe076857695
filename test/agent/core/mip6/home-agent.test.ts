import { beforeEach, describe, expect, test } from "vitest";
import { addressToBytes, type SocketAddress } from "../../../../agent/src/core/address.ts";
import type { NodeEvent } from "../../../../agent/src/core/events.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import {
  decodeIpv6Packet,
  encodeIpv6Packet,
  type Ipv6PacketFields,
  NEXT_HEADER,
} from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  type BindingUpdate,
  decodeMobilityMessage,
  encodeMobilityMessage,
  NO_FLAGS,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket, withChecksum } from "../../../../agent/src/core/mip6/mobility-header.ts";
import type { MobilityOption } from "../../../../agent/src/core/mip6/options.ts";
import { encodeAuthenticated } from "../../../../agent/src/core/mip6/registration-authentication.ts";
import { encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import type { HomeAgentConfig, NodeMachine } from "../../../../agent/src/core/node/node-machine.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";
import { fromHex, toHex } from "../../../vectors/hex.ts";

const HA = "2001:db8:a::1";
const MN = "2001:db8:a::100";
const MN2 = "2001:db8:a::200";
const CN = "2001:db8:b::200";
const TUNNEL: SocketAddress = { ip: "198.18.0.1", port: 4191 };
const STUN: SocketAddress = { ip: "198.18.0.1", port: 3478 };
const NAT: SocketAddress = { ip: "198.18.0.10", port: 61001 };
const NAT2: SocketAddress = { ip: "198.18.0.20", port: 62002 };
const INSIDE = "192.168.1.2";
const KEY = fromHex("000102030405060708090a0b0c0d0e0f");

/** STUN Binding request with FINGERPRINT (SPEC 8.5). */
const STUN_REQUEST = fromHex("000100082112a442000102030405060708090a0b802800045b0ff6fc");
const STUN_REQUEST_WITHOUT_FINGERPRINT = fromHex("000100002112a442000102030405060708090a0b");

const CONFIG: HomeAgentConfig = {
  address: HA,
  homePrefix: "2001:db8:a::/64",
  tunnelSockets: [TUNNEL],
  stunSockets: [STUN],
};

let agent: NodeMachine;

beforeEach(() => {
  agent = createHomeAgent(CONFIG, seededRng(1));
  agent.start(0);
});

describe("registration", () => {
  test("a Binding Update through a NAT is accepted, and the answer goes where it came from", () => {
    register(agent, {});
    const { answers, events } = drain(agent);
    expect(answers).toEqual([
      {
        local: TUNNEL,
        remote: NAT,
        from: HA,
        to: MN,
        message: {
          type: "binding-acknowledgement",
          status: 0,
          keyManagement: false,
          sequence: 1,
          lifetimeSec: 600,
          options: [{ type: "nat-detection", forceUdp: false, refreshSec: 110 }],
        },
      },
    ]);
    expect(events).toEqual([
      { type: "binding-registered", homeAddress: MN, observed: NAT, careOf: INSIDE, natDetected: true },
    ]);
  });

  test("without a NAT there is no NAT Detection option", () => {
    register(agent, { careOf: { type: "ipv4-care-of-address", address: NAT.ip } });
    const { answers, events } = drain(agent);
    expect(answers[0]?.message).toMatchObject({ status: 0, options: [] });
    expect(events[0]).toMatchObject({ natDetected: false });
  });

  test("over IPv6 the Alternate Care-of Address is compared with the outer source", () => {
    const remote = { ip: "2001:db8:c::5", port: 40001 };
    register(agent, { careOf: { type: "alternate-care-of-address", address: remote.ip }, remote });
    expect(drain(agent).events[0]).toMatchObject({ careOf: remote.ip, natDetected: false, observed: remote });
    register(agent, { sequence: 2, careOf: { type: "alternate-care-of-address", address: "2001:db8:c::6" }, remote });
    expect(drain(agent).events[0]).toMatchObject({ careOf: "2001:db8:c::6", natDetected: true });
  });

  test.each([
    { name: "is the source of a packet with a Home Address option", source: "2001:db8:c::5", careOf: "2001:db8:c::5" },
    { name: "is the outer source where the inner one is the home address", source: MN, careOf: NAT.ip },
  ])("without an option the care-of address $name", ({ source, careOf }) => {
    const header = encodeMobilityMessage({ ...bindingUpdate({}), options: [] }, { source: MN, destination: HA });
    const homeAddressOption = fromHex(`8702 01020000 c910 ${toHex(addressToBytes(MN))}`);
    const payload = Uint8Array.from([...homeAddressOption, ...header]);
    uplink(agent, packet({ source, destination: HA, nextHeader: NEXT_HEADER.destinationOptions, payload }), NAT);
    expect(drain(agent).events[0]).toMatchObject({ homeAddress: MN, careOf, observed: NAT });
  });

  test("the F flag is answered with NAT Detection even without a NAT", () => {
    register(agent, { careOf: { type: "ipv4-care-of-address", address: NAT.ip }, flags: { forceUdp: true } });
    expect(drain(agent).answers[0]?.message).toMatchObject({
      options: [{ type: "nat-detection", forceUdp: true, refreshSec: 110 }],
    });
  });

  test("the lifetime granted is at most an hour", () => {
    register(agent, { lifetimeSec: 100_000 });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 0, lifetimeSec: 3600 });
  });

  test("without the A flag success is not answered, but a refusal is", () => {
    register(agent, { flags: { acknowledge: false } });
    expect(drain(agent).answers).toEqual([]);
    expect(agent.counters()).toEqual({ "registrations.accepted": 1 });
    register(agent, { flags: { acknowledge: false }, sequence: 1 });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 135 });
  });

  test.each([1, 0, 65_535, 32_769])("sequence %i after 1 is refused with 135 and the last number taken", (sequence) => {
    register(agent, { sequence: 1 });
    drain(agent);
    register(agent, { sequence, remote: NAT2 });
    const { answers, events } = drain(agent);
    expect(answers[0]).toMatchObject({ remote: NAT2, message: { status: 135, sequence: 1, lifetimeSec: 0 } });
    expect(events).toEqual([]);
    agent.handleTunPacket(0, packetTo(MN));
    expect(drain(agent).transmits[0]?.remote).toEqual(NAT);
  });

  test("a home address outside the home prefix is refused with 132", () => {
    register(agent, { homeAddress: "2001:db8:b::100" });
    const { answers, events } = drain(agent);
    expect(answers[0]).toMatchObject({ to: "2001:db8:b::100", message: { status: 132, sequence: 1 } });
    expect(events).toEqual([]);
  });

  test("the home agent's own address cannot be registered", () => {
    register(agent, { homeAddress: HA });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 129 });
  });

  test("lifetime 0 removes the binding, and removing what is not there is answered with 133", () => {
    register(agent, {});
    drain(agent);
    register(agent, { sequence: 2, lifetimeSec: 0 });
    const { answers, events } = drain(agent);
    expect(answers[0]?.message).toMatchObject({ status: 0, sequence: 2, lifetimeSec: 0, options: [] });
    expect(events).toEqual([{ type: "binding-removed", homeAddress: MN, reason: "deregistered" }]);
    expect(agent.pollTimeout()).toBeUndefined();
    register(agent, { sequence: 3, lifetimeSec: 0 });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 133 });
  });

  test("a binding ends with its lifetime unless it is refreshed", () => {
    register(agent, { lifetimeSec: 100 });
    register(agent, { lifetimeSec: 40, homeAddress: MN2, remote: NAT2 });
    drain(agent);
    expect(agent.pollTimeout()).toBe(40_000);
    agent.handleTimeout(39_999);
    expect(drain(agent).events).toEqual([]);
    agent.handleTimeout(40_000);
    expect(drain(agent).events).toEqual([{ type: "binding-removed", homeAddress: MN2, reason: "expired" }]);
    register(agent, { sequence: 2, lifetimeSec: 100, now: 90_000 });
    drain(agent);
    agent.handleTimeout(189_999);
    expect(drain(agent).events).toEqual([]);
    expect(agent.pollTimeout()).toBe(190_000);
  });

  test("after a handover packets go to the new place, and still come from the old one for 3 s", () => {
    const careOf = { type: "ipv4-care-of-address", address: "172.16.9.3" } as const;
    register(agent, {});
    register(agent, { sequence: 2, remote: NAT2, careOf, now: 1000 });
    expect(drain(agent).events[1]).toMatchObject({ observed: NAT2, careOf: "172.16.9.3" });
    agent.handleTunPacket(1000, packetTo(MN));
    expect(drain(agent).transmits[0]?.remote).toEqual(NAT2);
    register(agent, { sequence: 3, remote: NAT2, careOf, now: 2000 });
    const payload = packet({ source: MN, destination: CN });
    agent.handleDatagram(3999, { local: TUNNEL, remote: NAT, payload });
    expect(agent.pollTunPacket()).toEqual(payload);
    agent.handleDatagram(4000, { local: TUNNEL, remote: NAT, payload });
    expect(agent.pollTunPacket()).toBeUndefined();
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 1 });
  });

  test("a node that has left sends from nowhere any more", () => {
    register(agent, {});
    register(agent, { sequence: 2, remote: NAT2, now: 1000 });
    register(agent, { sequence: 3, remote: NAT2, lifetimeSec: 0, now: 1100 });
    for (const remote of [NAT, NAT2])
      agent.handleDatagram(1200, { local: TUNNEL, remote, payload: packet({ source: MN, destination: CN }) });
    expect(agent.pollTunPacket()).toBeUndefined();
  });

  test("the table is bounded: the 4097th home address is refused with 130, known ones are refreshed", () => {
    for (let i = 0; i < 4096; i++) register(agent, { homeAddress: `2001:db8:a::1:${(i + 1).toString(16)}` });
    drain(agent);
    register(agent, { homeAddress: "2001:db8:a::2:1" });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 130 });
    register(agent, { homeAddress: "2001:db8:a::1:1", sequence: 2 });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 0 });
  });

  test("a Binding Update without the H flag is dropped: this is no correspondent", () => {
    register(agent, { flags: { homeRegistration: false } });
    expect(drain(agent).answers).toEqual([]);
    expect(agent.counters()).toEqual({ "dropped.no-home-registration": 1 });
  });
});

describe("shared-key authentication (A-39)", () => {
  beforeEach(() => {
    agent = createHomeAgent({ ...CONFIG, registrationKeys: new Map([[MN, KEY]]) }, seededRng(1));
  });

  test("an update signed with the key is accepted and its answer is signed", () => {
    registerSigned(agent, KEY);
    const message = drain(agent).answers[0]?.message;
    expect(message).toMatchObject({
      status: 0,
      options: [{ type: "nat-detection" }, { type: "authentication", subtype: 1, spi: 256 }],
    });
  });

  test.each([
    { name: "a wrong key", act: (ha: NodeMachine) => registerSigned(ha, fromHex("ff")) },
    { name: "no authentication option", act: (ha: NodeMachine) => register(ha, {}) },
    { name: "an old sequence number and a wrong key", act: (ha: NodeMachine) => registerSigned(ha, fromHex("ff"), 0) },
  ])("an update with $name is dropped in silence", ({ act }) => {
    act(agent);
    expect(drain(agent)).toEqual({ transmits: [], answers: [], events: [] });
    expect(agent.counters()).toEqual({ "dropped.authentication": 1 });
  });

  test.each([
    { name: "deregistered", leave: () => registerSigned(agent, KEY, 2, { lifetimeSec: 0 }), last: 2 },
    { name: "whose binding expired", leave: () => agent.handleTimeout(600_000), last: 1 },
  ])("a recorded update of a node $name is refused with 135", ({ leave, last }) => {
    registerSigned(agent, KEY, 1);
    leave();
    drain(agent);
    registerSigned(agent, KEY, 1, { now: 600_001 });
    const { answers, events } = drain(agent);
    expect(answers[0]?.message).toMatchObject({ status: 135, sequence: last });
    expect(events).toEqual([]);
    registerSigned(agent, KEY, last + 1, { now: 600_002 });
    expect(drain(agent).answers[0]?.message).toMatchObject({ status: 0 });
  });

  test("a home address without a key is refused with 129 where others have one", () => {
    register(agent, { homeAddress: MN2 });
    const { answers, events } = drain(agent);
    expect(answers[0]?.message).toMatchObject({ status: 129 });
    expect(events).toEqual([]);
  });

  test("a home address registers unauthenticated where none has a key", () => {
    const open = createHomeAgent({ ...CONFIG, registrationKeys: new Map() }, seededRng(1));
    register(open, { homeAddress: MN2 });
    expect(drain(open).answers[0]?.message).toMatchObject({ status: 0 });
  });
});

describe("forwarding", () => {
  beforeEach(() => {
    register(agent, {});
    drain(agent);
  });

  test("a packet of a registered node goes to the kernel untouched", () => {
    const up = packet({ source: MN, destination: CN });
    uplink(agent, up, NAT);
    expect(agent.pollTunPacket()).toEqual(up);
    expect(agent.counters()).toMatchObject({ "forwarded.uplink": 1 });
  });

  test("octets behind the inner packet are cut off", () => {
    const up = packet({ source: MN, destination: CN });
    uplink(agent, Uint8Array.from([...up, 0, 0, 0]), NAT);
    expect(agent.pollTunPacket()).toEqual(up);
  });

  test("a packet that the kernel routes to a home address goes to the observed source untouched", () => {
    const down = packet({ source: CN, destination: MN });
    agent.handleTunPacket(0, down);
    expect(drain(agent).transmits).toEqual([{ local: TUNNEL, remote: NAT, payload: down }]);
    expect(agent.counters()).toMatchObject({ "forwarded.downlink": 1 });
  });

  test("two nodes of one home agent reach each other inside it, with the hop limit one less", () => {
    register(agent, { homeAddress: MN2, remote: NAT2 });
    drain(agent);
    const between = packet({ source: MN, destination: MN2, hopLimit: 64 });
    const original = toHex(between);
    uplink(agent, between, NAT);
    const { transmits } = drain(agent);
    expect(transmits[0]).toMatchObject({ local: TUNNEL, remote: NAT2 });
    expect(transmits[0] && decodeIpv6Packet(transmits[0].payload)).toMatchObject({
      value: { hopLimit: 63, source: MN },
    });
    expect(toHex(between)).toBe(original);
    expect(agent.pollTunPacket()).toBeUndefined();
  });

  test("a packet at the end of its hop limit is not forwarded between two nodes", () => {
    register(agent, { homeAddress: MN2, remote: NAT2 });
    drain(agent);
    uplink(agent, packet({ source: MN, destination: MN2, hopLimit: 1 }), NAT);
    expect(drain(agent).transmits).toEqual([]);
    expect(agent.counters()).toMatchObject({ "dropped.hop-limit": 1 });
  });

  test("a packet to the home agent itself that is no mobility message goes to the kernel", () => {
    const ping = packet({ source: MN, destination: HA, nextHeader: NEXT_HEADER.icmpv6 });
    uplink(agent, ping, NAT);
    expect(agent.pollTunPacket()).toEqual(ping);
  });

  test.each([
    { name: "an unregistered home address", source: MN2, remote: NAT },
    { name: "another port", source: MN, remote: { ip: NAT.ip, port: NAT.port + 1 } },
    { name: "another address", source: MN, remote: { ip: NAT2.ip, port: NAT.port } },
  ])("a packet from $name is dropped", ({ source, remote }) => {
    uplink(agent, packet({ source, destination: CN }), remote);
    expect(agent.pollTunPacket()).toBeUndefined();
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 1 });
  });

  test("its sender is told by a Binding Error of status 1, once a second, wherever the packet came from", () => {
    const moved = { ip: NAT.ip, port: NAT.port + 1 };
    for (const at of [0, 999, 1000])
      agent.handleDatagram(at, { local: TUNNEL, remote: moved, payload: packet({ source: MN, destination: CN }) });
    const message = { type: "binding-error", status: 1, homeAddress: MN, options: [] };
    const error = { local: TUNNEL, remote: moved, from: HA, to: MN, message };
    expect(drain(agent).answers.slice(-2)).toEqual([error, error]);
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 3, "sent.binding-error": 2 });
  });

  test("at most 50 Binding Errors leave in a second, whoever asks for them", () => {
    for (let port = 1; port <= 60; port++)
      uplink(agent, packet({ source: MN, destination: CN }), { ip: NAT2.ip, port });
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 60, "sent.binding-error": 50 });
  });

  test("an address outside the home prefix is not told anything", () => {
    uplink(agent, packet({ source: CN, destination: MN }), NAT2);
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 1 });
    expect(agent.counters()["sent.binding-error"]).toBeUndefined();
  });

  test("a packet that arrives at another socket than the registration is dropped", () => {
    const local = { ip: "198.18.0.2", port: 4191 };
    agent.handleDatagram(0, { local, remote: NAT, payload: packet({ source: MN, destination: CN }) });
    expect(agent.counters()).toMatchObject({ "dropped.unregistered-source": 1 });
  });

  test("unknown home addresses are dropped in both directions, so that nothing circles between kernel and TUN", () => {
    agent.handleTunPacket(0, packetTo(MN2));
    uplink(agent, packet({ source: MN, destination: MN2 }), NAT);
    expect(drain(agent).transmits).toEqual([]);
    expect(agent.pollTunPacket()).toBeUndefined();
    expect(agent.counters()).toMatchObject({ "dropped.unknown-home-address": 2 });
  });

  test.each(["ff02::1", "fe80::1", "::1", "::"])("a packet to %s is not forwarded", (destination) => {
    uplink(agent, packet({ source: MN, destination }), NAT);
    agent.handleTunPacket(0, packetTo(destination));
    expect(agent.pollTunPacket()).toBeUndefined();
    expect(agent.counters()).toMatchObject({ "dropped.not-forwardable": 2 });
  });

  test("what is no IPv6 packet from the kernel is dropped", () => {
    agent.handleTunPacket(0, fromHex("45"));
    agent.handleTunPacket(0, packetTo(MN).subarray(0, 43));
    expect(agent.counters()).toMatchObject({ "dropped.tun-not-ipv6": 2 });
  });
});

describe("other traffic on the tunnel's port", () => {
  test.each([
    { counter: "dropped.empty", hex: "" },
    { counter: "received.keepalive", hex: "ff" },
    { counter: "dropped.ipv6-truncated", hex: "6000" },
    { counter: "dropped.ipv4", hex: "4500001400000000401100000a0000010a000002" },
    { counter: "dropped.mobility-header", hex: "3b00000000000000" },
    { counter: "dropped.stun-without-fingerprint", hex: toHex(STUN_REQUEST_WITHOUT_FINGERPRINT) },
    { counter: "dropped.unrecognised", hex: "00ff" },
  ])("'$hex' raises $counter", ({ counter, hex }) => {
    uplink(agent, fromHex(hex), NAT);
    expect(drain(agent)).toEqual({ transmits: [], answers: [], events: [] });
    expect(agent.counters()).toEqual({ [counter]: 1 });
  });

  test("a Mobility Header with a wrong checksum is dropped", () => {
    const update = encodeIpv6Packet({
      source: MN,
      destination: HA,
      nextHeader: 135,
      payload: fromHex("3b00050000010000"),
    });
    uplink(agent, update, NAT);
    expect(agent.counters()).toEqual({ "dropped.mobility-malformed": 1 });
  });

  test("a Binding Update cut or damaged is dropped, but for the four octets that no checksum covers", () => {
    const update = updatePacket({});
    for (let i = 0; i < update.length; i++) {
      uplink(agent, update.subarray(0, i), NAT);
      uplink(
        agent,
        update.map((octet, at) => (at === i ? octet ^ 0xff : octet)),
        NAT,
      );
    }
    // Traffic class, flow label (octets 1 to 3) and hop limit; from the second on the sequence number is not new.
    expect(agent.counters()).toMatchObject({ "registrations.accepted": 1, "registrations.rejected": 3 });
  });

  test("an unknown mobility message of a registered node is answered with Binding Error 2", () => {
    register(agent, {});
    drain(agent);
    const endpoints = { source: MN, destination: HA };
    const header = withChecksum(fromHex("3b00630000000000"), endpoints);
    uplink(agent, encodeMobilityPacket(header, endpoints), NAT);
    expect(drain(agent).answers).toEqual([
      {
        local: TUNNEL,
        remote: NAT,
        from: HA,
        to: MN,
        message: { type: "binding-error", status: 2, homeAddress: "::", options: [] },
      },
    ]);
    uplink(agent, encodeMobilityPacket(header, endpoints), NAT);
    uplink(agent, encodeMobilityPacket(header, endpoints), NAT2);
    expect(drain(agent).answers).toEqual([]);
  });

  test("other mobility messages to the home agent are dropped", () => {
    const endpoints = { source: MN, destination: HA };
    const header = encodeMobilityMessage(
      { type: "home-test-init", homeInitCookie: new Uint8Array(8), options: [] },
      endpoints,
    );
    uplink(agent, encodeMobilityPacket(header, endpoints), NAT);
    expect(agent.counters()).toEqual({ "dropped.mobility-unexpected": 1 });
  });

  test("mobility messages to a correspondent are forwarded like any packet", () => {
    register(agent, {});
    drain(agent);
    const endpoints = { source: MN, destination: CN };
    const header = encodeMobilityMessage(
      { type: "home-test-init", homeInitCookie: new Uint8Array(8), options: [] },
      endpoints,
    );
    const packetToCorrespondent = encodeMobilityPacket(header, endpoints);
    uplink(agent, packetToCorrespondent, NAT);
    expect(agent.pollTunPacket()).toEqual(packetToCorrespondent);
  });
});

describe("STUN", () => {
  test("UDP 3478 answers requests with and without FINGERPRINT", () => {
    agent.handleDatagram(0, { local: STUN, remote: NAT, payload: STUN_REQUEST });
    agent.handleDatagram(0, { local: STUN, remote: NAT, payload: STUN_REQUEST_WITHOUT_FINGERPRINT });
    const { transmits } = drain(agent);
    expect(transmits.map(({ local, remote }) => ({ local, remote }))).toEqual([
      { local: STUN, remote: NAT },
      { local: STUN, remote: NAT },
    ]);
    expect(transmits.map(({ payload }) => toHex(payload.subarray(0, 2)))).toEqual(["0101", "0101"]);
  });

  test("UDP 4191 answers a request with FINGERPRINT and tells the same mapped address", () => {
    uplink(agent, STUN_REQUEST, NAT);
    const [answer] = drain(agent).transmits;
    expect(answer).toMatchObject({ local: TUNNEL, remote: NAT });
    // XOR-MAPPED-ADDRESS of 198.18.0.10:61001.
    expect(answer && toHex(answer.payload)).toContain("002000080001cf5be700a448");
  });

  test("what is no STUN on 3478 is dropped, a tunnel packet too", () => {
    agent.handleDatagram(0, { local: STUN, remote: NAT, payload: updatePacket({}) });
    expect(drain(agent).transmits).toEqual([]);
    expect(agent.counters()).toEqual({ "dropped.stun": 1 });
  });
});

test.each([
  { name: "address", config: { ...CONFIG, address: "ha-a" } },
  { name: "prefix without length", config: { ...CONFIG, homePrefix: "2001:db8:a::" } },
  { name: "IPv4 prefix", config: { ...CONFIG, homePrefix: "10.0.0.0/8" } },
  { name: "prefix of 129 bits", config: { ...CONFIG, homePrefix: "2001:db8:a::/129" } },
])("an impossible $name is refused when the home agent is made", ({ config }) => {
  expect(() => createHomeAgent(config, seededRng(1))).toThrow(RangeError);
});

interface UpdateDetails {
  readonly homeAddress?: string;
  readonly sequence?: number;
  readonly lifetimeSec?: number;
  readonly flags?: Partial<BindingUpdate["flags"]>;
  readonly careOf?: MobilityOption;
}

function bindingUpdate({ sequence = 1, lifetimeSec = 600, flags, careOf }: UpdateDetails): BindingUpdate {
  return {
    type: "binding-update",
    sequence,
    flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true, ...flags },
    lifetimeSec,
    options: [careOf ?? { type: "ipv4-care-of-address", address: INSIDE }],
  };
}

function updatePacket(details: UpdateDetails): Uint8Array {
  const endpoints = { source: details.homeAddress ?? MN, destination: HA };
  return encodeMobilityPacket(encodeMobilityMessage(bindingUpdate(details), endpoints), endpoints);
}

function register(ha: NodeMachine, details: UpdateDetails & { remote?: SocketAddress; now?: number }): void {
  const { remote = NAT, now = 0 } = details;
  ha.handleDatagram(now, { local: TUNNEL, remote, payload: updatePacket(details) });
}

function registerSigned(ha: NodeMachine, key: Uint8Array, sequence = 1, { lifetimeSec = 600, now = 0 } = {}): void {
  const endpoints = { source: MN, destination: HA };
  const update = bindingUpdate({ sequence, lifetimeSec });
  const header = encodeAuthenticated(update, endpoints, { key, careOf: INSIDE, homeAddress: MN });
  ha.handleDatagram(now, { local: TUNNEL, remote: NAT, payload: encodeMobilityPacket(header, endpoints) });
}

function uplink(ha: NodeMachine, payload: Uint8Array, remote: SocketAddress): void {
  ha.handleDatagram(0, { local: TUNNEL, remote, payload });
}

function packet(fields: Partial<Ipv6PacketFields> & { source: string; destination: string }): Uint8Array {
  return encodeIpv6Packet({ nextHeader: NEXT_HEADER.udp, payload: fromHex("00010002000c0000abcdef01"), ...fields });
}

function packetTo(ip: string): Uint8Array {
  return encodeUdpInIpv6({ source: { ip: CN, port: 1 }, destination: { ip, port: 2 }, payload: fromHex("abcd") });
}

/** All pending transmits and events of the machine, with mobility messages decoded. */
function drain(ha: NodeMachine) {
  const transmits = take<Transmit>(() => ha.pollTransmit());
  const answers = transmits.flatMap(({ local, remote, payload }) => {
    const inner = decodeIpv6Packet(payload);
    if (!inner.ok || inner.value.nextHeader !== NEXT_HEADER.mobility) return [];
    const { source: from, destination: to } = inner.value;
    const message = decodeMobilityMessage(inner.value.payload, { source: from, destination: to });
    return [{ local, remote, from, to, message: message.ok ? message.value : message.error }];
  });
  return { transmits, answers, events: take<NodeEvent>(() => ha.pollEvent()) };
}

function take<T>(poll: () => T | undefined): T[] {
  const taken: T[] = [];
  for (let next = poll(); next !== undefined; next = poll()) taken.push(next);
  return taken;
}
