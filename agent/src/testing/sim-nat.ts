/** A NAT: a router with one WAN address, whose table translates and filters (RFC 4787). */

import type { Impairment } from "../core/link/impairment.ts";
import type { NatProfile } from "../core/nat/nat-profile.ts";
import { NatTable } from "./nat-table.ts";
import { type IcmpPacket, icmpRefusal, type SimPacket, type UdpPacket } from "./packet.ts";
import { SimHost } from "./sim-host.ts";
import type { SimNet, SimPort } from "./sim-net.ts";

export interface SimNatSetup {
  readonly name: string;
  readonly profile: NatProfile;
  /** Sends an ICMP error when the filter drops a packet. */
  readonly rejects?: boolean;
  /** `address` with prefix length; `gateway` where the WAN is itself behind a router. */
  readonly wan: {
    readonly segment: string;
    readonly address: string;
    readonly gateway?: string;
    readonly impairment?: Impairment;
  };
  readonly lan: { readonly segment: string; readonly address: string; readonly impairment?: Impairment };
}

/** A running NAT. */
export interface SimNat {
  readonly table: NatTable;
  readonly externalIp: string;
  /** Packets from outside that the filter dropped. */
  readonly refused: () => number;
}

/** Creates a NAT between two segments. New packets to the WAN address itself create no mapping. */
export function createSimNat(net: SimNet, { name, profile, rejects, wan, lan }: SimNatSetup): SimNat {
  const table = new NatTable(profile);
  const host = new SimHost(net, name);
  const wanPort = host.attach(wan.segment, [wan.address], wan.impairment);
  host.attach(lan.segment, [lan.address], lan.impairment);
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
