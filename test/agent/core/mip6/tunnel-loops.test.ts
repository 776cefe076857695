/** Bindings that would lead a tunnel into itself: how many packets home agents send for one that they receive. */

import { expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import { decodeIpv6Packet, encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { encodeMobilityMessage, NO_FLAGS } from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../agent/src/core/mip6/mobility-header.ts";
import type { MobilityOption } from "../../../../agent/src/core/mip6/options.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import type { NodeMachine } from "../../../../agent/src/core/node/node-machine.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";

const A = { address: "2001:db8:a::1", prefix: "2001:db8:a:", tunnel: { ip: "2001:db8::2", port: 4191 } };
const B = { address: "2001:db8:b::1", prefix: "2001:db8:b:", tunnel: { ip: "2001:db8::3", port: 4191 } };
const HOME_A = "2001:db8:a::666";
const HOME_B = "2001:db8:b::666";
const ATTACKER: SocketAddress = { ip: "2001:db8::66", port: 7000 };
const CARE_OF_ATTACKER: MobilityOption = { type: "alternate-care-of-address", address: ATTACKER.ip };
const STRANGER = "2001:db8::99";
/** Without a bound a loop would not end. */
const MOST_STEPS = 2000;
/** The limit of `nesting.ts`, and one for the original packet. */
const FEW = 5;

test("a registration that comes through the node's own tunnel is dropped, and nothing circles", () => {
  const net = new Net();
  net.register(A, HOME_A, ATTACKER);
  net.send(ATTACKER, A.tunnel, net.nested(HOME_A, A.tunnel, updateOf(HOME_A, A.address, 2)));
  net.sendTo(HOME_A);
  expect(net.sentByHomeAgents()).toBeLessThanOrEqual(FEW);
  expect(net.arrivals(ATTACKER)).toBe(1);
});

test("a registration from the home agent's own tunnel address is dropped, and nothing circles", () => {
  const net = new Net();
  net.send(A.tunnel, A.tunnel, updateOf(HOME_A, A.address, 1));
  for (let i = 0; i < 100; i += 1) net.sendTo(HOME_A);
  expect(net.sentByHomeAgents()).toBe(0);
});

test("a care-of address in the home prefix, or of the home agent itself, is refused with 129", () => {
  for (const careOf of ["2001:db8:a::7", A.address, A.tunnel.ip]) {
    const net = new Net();
    net.send(
      ATTACKER,
      A.tunnel,
      updateOf(HOME_A, A.address, 1, { type: "alternate-care-of-address", address: careOf }),
    );
    net.sendTo(HOME_A);
    expect(net.counters(A)).toEqual({ "registrations.rejected": 1, "dropped.unknown-home-address": 1 });
  }
});

test("a node behind a NAT may have the private address that its home agent has behind another", () => {
  const tunnel = { ip: "192.168.1.2", port: 4191 };
  const agent = createHomeAgent(
    {
      address: A.address,
      homePrefix: `${A.prefix}:/64`,
      tunnelSockets: [tunnel],
      stunSockets: [],
    },
    seededRng(1),
  );
  const update = updateOf(HOME_A, A.address, 1, { type: "ipv4-care-of-address", address: tunnel.ip });
  agent.handleDatagram(0, { local: tunnel, remote: { ip: "198.18.0.5", port: 40_000 }, payload: update });
  expect(agent.counters()).toMatchObject({ "registrations.accepted": 1 });
});

test("bindings of two home agents that lead into each other's tunnel end after a few rounds", () => {
  const net = new Net();
  // Neither home agent can detect that the other's prefix leads into a tunnel.
  net.send({ ip: HOME_B, port: 4191 }, A.tunnel, updateOf(HOME_A, A.address, 1));
  net.send({ ip: HOME_A, port: 4191 }, B.tunnel, updateOf(HOME_B, B.address, 1));
  net.sendTo(HOME_A);
  expect(net.counters(A)["registrations.accepted"]).toBe(1);
  expect(net.sentByHomeAgents()).toBeLessThanOrEqual(FEW);
  expect(net.largest).toBeLessThan(1280);
});

test("a tunnel within a tunnel is carried", () => {
  const net = new Net();
  net.register(A, HOME_A, ATTACKER);
  net.sendPacket(net.nested(STRANGER, { ip: HOME_A, port: 4191 }, packetTo(HOME_B)));
  expect(net.arrivals(ATTACKER)).toBe(1);
});

type Agent = typeof A;

/**
 * Two home agents whose kernels route the home prefixes into the tunnels, and every other packet to its destination.
 */
class Net {
  /** Length of the largest packet. */
  largest = 0;
  readonly #machines = new Map<Agent, NodeMachine>([A, B].map((agent) => [agent, machineOf(agent)]));
  readonly #arrived = new Map<string, number>();
  #sent = 0;
  #steps = 0;

  /** Registers a home address from its real care-of address. */
  register(agent: Agent, homeAddress: string, from: SocketAddress): void {
    this.send(from, agent.tunnel, updateOf(homeAddress, agent.address, 1));
  }

  /** A UDP datagram with any source. */
  send(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): void {
    this.sendPacket(encodeUdpInIpv6({ source, destination, payload }));
  }

  /** A packet that a node sends into its tunnel to reach the end of another tunnel. */
  nested(source: string, destination: SocketAddress, payload: Uint8Array): Uint8Array {
    return encodeUdpInIpv6({ source: { ip: source, port: 4191 }, destination, payload });
  }

  sendTo(homeAddress: string): void {
    this.sendPacket(packetTo(homeAddress));
  }

  /** Routes a packet and all packets that result from it. */
  sendPacket(packet: Uint8Array): void {
    const queue = [packet];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) return;
      this.largest = Math.max(this.largest, next.length);
      queue.push(...this.#route(next));
    }
  }

  /** Number of packets that left the tunnels of both home agents. */
  sentByHomeAgents(): number {
    return this.#sent;
  }

  arrivals({ ip }: SocketAddress): number {
    return this.#arrived.get(ip) ?? 0;
  }

  counters(agent: Agent): Readonly<Record<string, number>> {
    return this.#machineOf(agent).counters();
  }

  /** Passes a packet to the home agent it is addressed to, or records its arrival; returns the resulting packets. */
  #route(packet: Uint8Array): readonly Uint8Array[] {
    const ip = decodeIpv6Packet(packet);
    if (!ip.ok) throw new Error(`no IPv6 packet: ${ip.error.code}`);
    const { destination } = ip.value;
    const agent = [A, B].find(({ prefix, tunnel }) => destination.startsWith(prefix) || destination === tunnel.ip);
    if (agent === undefined) {
      this.#arrived.set(destination, (this.#arrived.get(destination) ?? 0) + 1);
      return [];
    }
    const machine = this.#machineOf(agent);
    const udp = decodeUdpInIpv6(ip.value);
    if (destination.startsWith(agent.prefix)) machine.handleTunPacket(0, packet);
    else if (udp.ok)
      machine.handleDatagram(0, { local: agent.tunnel, remote: udp.value.source, payload: udp.value.payload });
    return this.#outputOf(machine);
  }

  #outputOf(machine: NodeMachine): readonly Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let out = machine.pollTransmit(); out !== undefined; out = machine.pollTransmit()) {
      this.#sent += 1;
      packets.push(encodeUdpInIpv6({ source: out.local, destination: out.remote, payload: out.payload }));
    }
    for (let out = machine.pollTunPacket(); out !== undefined; out = machine.pollTunPacket()) packets.push(out);
    return packets;
  }

  #machineOf(agent: Agent): NodeMachine {
    const machine = this.#machines.get(agent);
    if (machine === undefined) throw new Error("every home agent has a machine");
    return machine;
  }
}

function machineOf({ address, prefix, tunnel }: Agent): NodeMachine {
  const stunSockets = [{ ip: tunnel.ip, port: 3478 }];
  return createHomeAgent({ address, homePrefix: `${prefix}:/64`, tunnelSockets: [tunnel], stunSockets }, seededRng(1));
}

function updateOf(homeAddress: string, homeAgent: string, sequence: number, careOf = CARE_OF_ATTACKER): Uint8Array {
  const endpoints = { source: homeAddress, destination: homeAgent };
  const flags = { ...NO_FLAGS, homeRegistration: true };
  const update = { type: "binding-update", sequence, flags, lifetimeSec: 600, options: [careOf] } as const;
  return encodeMobilityPacket(encodeMobilityMessage(update, endpoints), endpoints);
}

function packetTo(destination: string): Uint8Array {
  return encodeIpv6Packet({
    source: STRANGER,
    destination,
    nextHeader: NEXT_HEADER.udp,
    payload: Uint8Array.from([0, 1, 0, 2, 0, 12, 0, 0, 1, 2, 3, 4]),
  });
}
