/**
 * A mobile node and a correspondent node without home agent, directly on the internet:
 *
 *      mn ── home ── [nat-a] ──┐
 *                              ├─ internet ── cn
 *                     ha-a ────┘
 */

import type { Family, SocketAddress } from "../core/address.ts";
import type { Impairment } from "../core/link/impairment.ts";
import { createMobileNode } from "../core/mice/mobile-node.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../core/mip6/ipv6-packet.ts";
import type { AgentOptions } from "../core/node/agent-settings.ts";
import type { MobileNodeMachine } from "../core/node/node-machine.ts";
import { type MachineNode, runMachine } from "./machine-node.ts";
import { CANDIDATE_PORT, createSide, type End, type MiceNet, runUntilBoth, SIDES, type SideSetup } from "./mice-net.ts";
import { ipv6Packet, type SimPacket } from "./packet.ts";
import { seededRng } from "./seeded-rng.ts";
import { SimHost } from "./sim-host.ts";
import { SimNet } from "./sim-net.ts";

export interface StationaryNetSetup {
  readonly a?: SideSetup;
  readonly cn?: StationarySetup;
  readonly homeAgents?: Impairment;
  readonly seed?: number;
}

export interface StationarySetup extends AgentOptions {
  /** IP versions of its candidates, preferred ones first; both by default. Its own address is always IPv6. */
  readonly versions?: readonly Family[];
  readonly access?: Impairment;
}

/** Builds the network and starts every node at time 0; the mobile node expects the other one. */
export function createStationaryNet(setup: StationaryNetSetup = {}): MiceNet<End> {
  const seed = setup.seed ?? 1;
  const net = new SimNet(seed);
  const expecting = { peers: [SIDES.b.wanIpv6], ...setup.a };
  const mn = createSide(net, SIDES.a, expecting, setup.homeAgents, seed * 2 + 1);
  const cn = createStationaryEnd(net, setup.cn ?? {}, seed * 2 + 2);
  return { net, mn, cn, runUntilBoth: runUntilBoth(net, [mn, cn]) };
}

function createStationaryEnd(net: SimNet, setup: StationarySetup, seed: number): End {
  const { versions = [6, 4], access, ...settings } = setup;
  const host = new SimHost(net, "cn");
  host.attach("internet", [`${SIDES.b.wan}/24`, `${SIDES.b.wanIpv6}/64`], access);
  host.route(SIDES.a.homePrefix, SIDES.a.homeAgentIpv6);
  const homeAddress = SIDES.b.wanIpv6;
  const sockets = versions.map((version): SocketAddress => {
    return { ip: version === 4 ? SIDES.b.wan : homeAddress, port: CANDIDATE_PORT };
  });
  const [socket] = sockets;
  if (socket === undefined) throw new Error("a node has at least one IP version");
  const machine = createMobileNode({ stunServers: [], homeAddress, sockets, settings }, seededRng(seed));
  const received: Uint8Array[] = [];
  const node: MachineNode<MobileNodeMachine> = runMachine(host, machine, {
    sockets,
    onTun: (bytes) => {
      const packet = ipv6Packet(bytes);
      if (packet.destination === homeAddress) received.push(bytes);
      else host.send(packet);
    },
  });
  host.onRefusal = (refused) => node.tell((m, now) => m.handleRefusal(now, refused));
  host.intake = (packet) => takePacket(packet, node, received);
  return { homeAddress, socket, node, received };
}

/** The kernel's handling of packets to the node: signalling and fragments to the TUN device, the rest to programs. */
function takePacket(packet: SimPacket, node: MachineNode<MobileNodeMachine>, received: Uint8Array[]): boolean {
  if (packet.kind === "udp") return false;
  const ip = decodeIpv6Packet(packet.payload);
  if (!ip.ok) return false;
  const { nextHeader, payload } = ip.value;
  const isCheck = nextHeader === NEXT_HEADER.udp && ((payload[2] ?? 0) << 8) + (payload[3] ?? 0) === CANDIDATE_PORT;
  if (isCheck) return false;
  const isForMachine = nextHeader === NEXT_HEADER.mobility || nextHeader === NEXT_HEADER.fragment;
  if (isForMachine) node.tell((machine, now) => machine.handleTunPacket(now, packet.payload));
  else received.push(packet.payload);
  return true;
}
