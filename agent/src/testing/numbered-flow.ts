/** Numbered packets between two home addresses, which show loss, duplication and reordering. */

import { ByteReader, ByteWriter } from "../core/bytes.ts";
import { decodeIpv6Packet } from "../core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../core/mip6/udp-in-ipv6.ts";
import type { End } from "./mice-net.ts";

/** One direction of data. */
export interface NumberedFlow {
  /** Writes the next packet to the sender's TUN device. */
  send(): void;
  /** Sends a packet every `intervalMs` of virtual time, for `forMs` from now. */
  sendEvery(intervalMs: number, forMs: number): void;
  readonly sent: number;
  /** Numbers in the order of arrival. */
  arrivals(): readonly number[];
}

/** UDP port of the data at both ends; not the candidates' port. */
const PORT = 7;

export function createNumberedFlow(from: End, to: End): NumberedFlow {
  let sent = 0;
  const { time } = from.node.host.net;
  const send = (): void => {
    const packet = encodeUdpInIpv6({
      source: { ip: from.homeAddress, port: PORT },
      destination: { ip: to.homeAddress, port: PORT },
      payload: new ByteWriter().u32(sent).finish(),
    });
    sent += 1;
    from.node.tell((machine, now) => machine.handleTunPacket(now, packet));
  };
  return {
    send,
    sendEvery(intervalMs, forMs) {
      for (let afterMs = 0; afterMs < forMs; afterMs += intervalMs) time.at(time.now + afterMs, send);
    },
    get sent() {
      return sent;
    },
    arrivals: () => to.received.flatMap((packet) => numberOf(packet, from.homeAddress) ?? []),
  };
}

function numberOf(packet: Uint8Array, source: string): number | undefined {
  const ip = decodeIpv6Packet(packet);
  const udp = ip.ok ? decodeUdpInIpv6(ip.value) : ip;
  if (!udp.ok || udp.value.source.ip !== source || udp.value.destination.port !== PORT) return undefined;
  return new ByteReader(udp.value.payload).u32();
}
