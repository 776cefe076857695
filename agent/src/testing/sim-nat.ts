/** A NAT box: a router whose WAN side shows one address, and whose table decides what passes (RFC 4787). */

import type { LinkCondition } from "../core/link/link-condition.ts";
import type { NatProfile } from "../core/nat/nat-profile.ts";
import { NatTable } from "./nat-table.ts";
import { type IcmpPacket, icmpRefusal, type SimPacket, type UdpPacket } from "./packet.ts";
import { SimHost } from "./sim-host.ts";
import type { SimNet, SimPort } from "./sim-net.ts";

export interface SimNatSetup {
  readonly name: string;
  readonly profile: NatProfile;
  /** Says so by ICMP when the filter drops a packet, instead of nothing. */
  readonly rejects?: boolean;
  /** `address` with prefix length; `gateway` where the WAN is itself behind a router. */
  readonly wan: {
    readonly wire: string;
    readonly address: string;
    readonly gateway?: string;
    readonly condition?: LinkCondition;
  };
  readonly lan: { readonly wire: string; readonly address: string; readonly condition?: LinkCondition };
}

/** A running NAT box. */
export interface SimNat {
  readonly table: NatTable;
  readonly externalIp: string;
  /** Packets from outside that the filter dropped. */
  readonly refused: () => number;
}

/** Puts a NAT box between two wires. New packets to the WAN address itself leave no trace in the table. */
export function createSimNat(net: SimNet, { name, profile, rejects, wan, lan }: SimNatSetup): SimNat {
  const table = new NatTable(profile);
  const host = new SimHost(net, name);
  const wanPort = host.attach(wan.wire, [wan.address], wan.condition);
  host.attach(lan.wire, [lan.address], lan.condition);
  if (wan.gateway !== undefined) host.route("0.0.0.0/0", wan.gateway);
  const externalIp = wan.address.split("/")[0] ?? wan.address;
  let refused = 0;

  const outward = (packet: UdpPacket): UdpPacket => {
    const { externalPort, peer } = table.outbound(net.time.now, packet.source, packet.destination);
    return { ...packet, source: { ip: externalIp, port: externalPort }, destination: peer };
  };
  const inward = (packet: UdpPacket): UdpPacket | undefined => {
    const arrival = table.inbound(net.time.now, packet.source, packet.destination.port);
    if (arrival === undefined) refused += 1;
    if (arrival === undefined && rejects === true)
      host.send(icmpRefusal(externalIp, packet, "administratively prohibited"));
    return arrival && { ...packet, source: arrival.peer, destination: arrival.inside };
  };
  const hairpinned = (packet: UdpPacket): UdpPacket | undefined => {
    const arrival = table.hairpin(net.time.now, packet.source, packet.destination.port);
    return arrival && { ...packet, source: arrival.peer, destination: arrival.inside };
  };
  const translate = (packet: UdpPacket, arrivedAt: SimPort): UdpPacket | undefined => {
    if (arrivedAt === wanPort) return inward(packet);
    if (packet.destination.ip !== externalIp) return outward(packet);
    return profile.hairpinning ? hairpinned(outward(packet)) : undefined;
  };

  const passOn = (error: IcmpPacket): void => {
    const sender = table.senderAt(net.time.now, error.destination.port);
    if (sender !== undefined) host.send({ ...error, destination: sender });
  };

  host.intake = (packet, arrivedAt) => {
    if (packet.kind === "icmp" && packet.destination.ip === externalIp) {
      passOn(packet);
      return true;
    }
    if (packet.kind !== "udp" || packet.destination.ip !== externalIp) return false;
    const inside = translate(packet, arrivedAt);
    if (inside !== undefined) host.send(inside);
    return true;
  };
  host.forward = (packet, arrivedAt, leavesBy): SimPacket | undefined =>
    packet.kind === "udp" && arrivedAt !== wanPort && leavesBy === wanPort ? outward(packet) : undefined;
  return { table, externalIp, refused: () => refused };
}
