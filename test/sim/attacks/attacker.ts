/** A host on the internet that sends any packet with any source, and may be on the path of others. */

import type { SocketAddress } from "../../../agent/src/core/address.ts";
import type { InstantMs } from "../../../agent/src/core/machine.ts";
import { decodeStun, type StunMessage } from "../../../agent/src/core/stun/message.ts";
import { ipv6Packet, SimHost, type SimNet, type SimPacket, type UdpPacket } from "../../../agent/src/testing/index.ts";

/** A packet that reached a host, on any port. */
export interface Arrival {
  readonly atMs: InstantMs;
  readonly packet: SimPacket;
}

/** A host on the internet that records everything that reaches its addresses and answers nothing. */
export interface Bystander {
  readonly host: SimHost;
  readonly name: string;
  readonly ip: string;
  readonly arrivals: readonly Arrival[];
  /** UDP datagrams among the arrivals. */
  datagrams(): readonly UdpPacket[];
  /** Called for every arrival. */
  onArrival: ((packet: SimPacket) => void) | undefined;
}

export interface Attacker extends Bystander {
  /** Sends a datagram with any source. */
  send(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): void;
  /** Sends an IPv6 packet with any source to where it is routed. */
  sendIpv6(packet: Uint8Array): void;
  /**
   * Attaches to the path on segment `internet`: `take` is called for each packet of other nodes before it is put there,
   * and removes the packet by returning true.
   */
  sitOnPath(take: (packet: SimPacket, from: string) => boolean): void;
}

export const ATTACKER_IP = "198.18.0.66";
export const VICTIM_IP = "198.18.0.99";
const ATTACKER_IPV6 = "2001:db8::66";
export const VICTIM_IPV6 = "2001:db8::99";

/** The victim of amplification: takes no part in any session. */
export function createVictim(net: SimNet): Bystander {
  return createBystander(net, "victim", VICTIM_IP, VICTIM_IPV6);
}

/** The attacker, without delay on its access link: its packets overtake those of others. */
export function createAttacker(net: SimNet): Attacker {
  const bystander = createBystander(net, "attacker", ATTACKER_IP, ATTACKER_IPV6);
  const { host, name } = bystander;
  host.route("2001:db8:a::/64", "2001:db8::2");
  host.route("2001:db8:b::/64", "2001:db8::3");
  return Object.assign(bystander, {
    send(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): void {
      host.send({ kind: "udp", source, destination, payload });
    },
    sendIpv6(packet: Uint8Array): void {
      host.send(ipv6Packet(packet));
    },
    sitOnPath(take: (packet: SimPacket, from: string) => boolean): void {
      net.intercept(({ segment, from, packet }) => segment !== "internet" || from === name || !take(packet, from));
    },
  });
}

/** The STUN message of a UDP packet, if it is one. */
export function stunOf(packet: SimPacket): StunMessage | undefined {
  if (packet.kind !== "udp") return undefined;
  const message = decodeStun(packet.payload);
  return message.ok ? message.value : undefined;
}

/** Packets that are neither STUN nor empty: data, or signalling that resembles it. */
export function dataAmong(arrivals: readonly Arrival[]): readonly SimPacket[] {
  return arrivals.map(({ packet }) => packet).filter((packet) => stunOf(packet) === undefined);
}

function createBystander(net: SimNet, name: string, ip: string, ipv6: string): Bystander {
  const host = new SimHost(net, name);
  host.attach("internet", [`${ip}/24`, `${ipv6}/64`]);
  const arrivals: Arrival[] = [];
  const bystander: Bystander = {
    host,
    name,
    ip,
    arrivals,
    datagrams: () => arrivals.flatMap(({ packet }) => (packet.kind === "udp" ? [packet] : [])),
    onArrival: undefined,
  };
  host.intake = (packet) => {
    arrivals.push({ atMs: net.time.now, packet });
    bystander.onArrival?.(packet);
    return true;
  };
  return bystander;
}
