/** One session in virtual time, from registration to data on the direct path: real packets as a starting point. */

import type { Datagram } from "../../agent/src/core/machine.ts";
import { decodeMipIce } from "../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeMobilityMessage } from "../../agent/src/core/mip6/messages.ts";
import { createMiceNet, createNumberedFlow, type MiceNet, type TraceEntry } from "../../agent/src/testing/index.ts";

/** Nodes whose input is recorded. */
export type RecordedNode = "mn" | "cn" | "ha-a";

/** When the mobile node makes its offer. */
const CONNECT_AT = 1000;
const ENDS_AT = 4000;

/** Behind home routers with 10 ms of access delay on both sides; every call returns the same run, octet by octet. */
export function runTo(instant: number): MiceNet {
  const access = { delayMs: 10 };
  const mice = createMiceNet({ a: { nat: {}, access }, b: { nat: { seed: 2 }, access } });
  const { time } = mice.net;
  time.at(CONNECT_AT, () => mice.mn.node.tell((machine, now) => machine.connect(now, mice.cn.homeAddress)));
  createNumberedFlow(mice.mn, mice.cn).sendEvery(250, ENDS_AT);
  createNumberedFlow(mice.cn, mice.mn).sendEvery(250, ENDS_AT);
  time.runUntil(instant);
  return mice;
}

const { trace } = runTo(ENDS_AT).net;

/** What arrived at the sockets of a node. */
export function datagramsTo(node: RecordedNode): readonly Datagram[] {
  return trace.flatMap(({ to, packet }) =>
    to === node && packet.kind === "udp"
      ? [{ local: packet.destination, remote: packet.source, payload: packet.payload }]
      : [],
  );
}

/** Every UDP payload and every native IPv6 packet on a segment, once. */
export const RECORDED_PAYLOADS: readonly Uint8Array[] = uniquePayloads(trace);

/** Passwords in the offers and answers of the run, as keys. */
export const RECORDED_KEYS: readonly Uint8Array[] = trace.flatMap(({ packet }) => keysIn(packet.payload));

/** The Mobility Header of a packet, with its addresses. */
export function mobilityIn(
  payload: Uint8Array,
): { source: string; destination: string; header: Uint8Array } | undefined {
  const ip = decodeIpv6Packet(payload);
  if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility) return undefined;
  const { source, destination, payload: header } = ip.value;
  return { source, destination, header };
}

/** The password in an offer or answer, as a key; nothing for other payloads. */
export function keysIn(payload: Uint8Array): readonly Uint8Array[] {
  const found = mobilityIn(payload);
  const message = found && decodeMobilityMessage(found.header, found);
  if (!message?.ok || message.value.type === "unknown") return [];
  const offer = decodeMipIce(message.value.options);
  return offer.ok && offer.value ? [new TextEncoder().encode(offer.value.description.credentials.pwd)] : [];
}

function uniquePayloads(entries: readonly TraceEntry[]): readonly Uint8Array[] {
  return [
    ...new Map(entries.map(({ packet: { payload } }) => [Buffer.from(payload).toString("hex"), payload])).values(),
  ];
}
