/**
 * Follows packets across the captures of a lab by their content: routers change addresses, ports, the IP version and
 * tunnels, never the content. Each frame is captured once, by the node that sends it, and its destination MAC address
 * names the node that sends it on. So a packet is followed hop by hop, also through a relay, which is no router.
 */

import type { ContentKind } from "./content.ts";
import type { DecodedPacket } from "./decode-frame.ts";
import { type FiveTuple, goesBack, isReversed } from "./five-tuple.ts";
import { readStreams, type SentPacket, type TraceStream } from "./read-streams.ts";
import { createWaitingRooms } from "./waiting-rooms.ts";

/** A packet on one segment. */
export interface Sighting {
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number;
  readonly segment: string;
  readonly sender: string;
  /** The node that the frame is addressed to; absent where no node of the lab has that MAC address. */
  readonly receiver?: string;
  /** Of the content. */
  readonly tuple: FiveTuple;
  /** Of the tunnels that it is in, outermost first. */
  readonly tunnels: readonly FiveTuple[];
}

/** A packet from its sender to where it was seen last. */
export interface TracedPacket {
  readonly kind: ContentKind;
  /** As much of it as was captured. */
  readonly content: Uint8Array;
  /** Of its content. */
  readonly octets: number;
  /** In the order of time. */
  readonly sightings: readonly [Sighting, ...Sighting[]];
  /** Another packet with equal content was on the same way: time and order decided which of them was which. */
  readonly isAmbiguous: boolean;
  /** A node or link on the way made it from another packet, whose first sightings it shares. */
  readonly isCopy: boolean;
  /** The packet whose content its sender returned to where it came from; the same for an answer that is sent again. */
  readonly answerTo?: TracedPacket;
}

/** Where an address or port was changed, and from what to what. */
export interface TranslationStep {
  readonly node: string;
  readonly from: FiveTuple;
  readonly to: FiveTuple;
}

/** All packets with a content, in the order in which they began. */
export function followPackets(streams: readonly TraceStream[]): readonly TracedPacket[] {
  const follower = createFollower();
  for (const sent of readStreams(streams)) follower.add(sent);
  return follower.packets;
}

/** Where a packet was seen last. */
export function lastSighting({ sightings }: Pick<TracedPacket, "sightings">): Sighting {
  return sightings.at(-1) ?? sightings[0];
}

/** The nodes that translated a packet, in the order of its way. */
export function translationsOf({ sightings }: TracedPacket): readonly TranslationStep[] {
  return sightings.flatMap((sighting, i) => {
    const before = sightings[i - 1];
    if (before === undefined) return [];
    const [from, to] = [before.tuple, sighting.tuple];
    return from === to ? [] : [{ node: sighting.sender, from, to }];
  });
}

/** A packet while it is followed. */
interface OpenPacket {
  readonly decoded: DecodedPacket;
  readonly content: Uint8Array;
  readonly kind: ContentKind;
  readonly octets: number;
  readonly sightings: [Sighting, ...Sighting[]];
  isAmbiguous: boolean;
  readonly isCopy: boolean;
  readonly answerTo?: OpenPacket;
}

/** Longest time that a packet needs from one segment to the next: what links may delay it, and more. */
const LONGEST_HOP_MS = 10_000;

function createFollower() {
  const packets: OpenPacket[] = [];
  /** Packets by the node that received them last, and by the nodes that have sent them. */
  const waiting = createWaitingRooms<OpenPacket>((packet) => packet.decoded);
  const sentBy = createWaitingRooms<OpenPacket>((packet) => packet.decoded);
  const translations = createTranslations();

  const continued = (packet: OpenPacket, sighting: Sighting, { decoded }: SentPacket, isAmbiguous: boolean): void => {
    const { sender } = sighting;
    packet.isAmbiguous ||= isAmbiguous;
    if (!isAmbiguous) translations.learn(sender, lastSighting(packet).tuple, sighting.tuple);
    waiting.remove(sender, decoded, packet);
    sentBy.add(sender, decoded, packet);
    packet.sightings.push(sighting);
  };
  /** A packet that begins with this sighting, or is copied with it. */
  const begun = (
    sighting: Sighting,
    { node, decoded, at }: SentPacket,
    answerTo: OpenPacket | undefined,
  ): OpenPacket => {
    const { kind, content, octets } = decoded;
    const common = { decoded, kind, content, octets, isAmbiguous: false };
    if (answerTo !== undefined) return { ...common, sightings: [sighting], isCopy: false, answerTo };
    const original = sentBy.find(node, decoded, at - LONGEST_HOP_MS).find((packet) => hasSame(packet, sighting));
    const before =
      original?.sightings.slice(
        0,
        original.sightings.findIndex(({ sender }) => sender === node),
      ) ?? [];
    const [first, ...others] = before;
    const sightings: OpenPacket["sightings"] = first === undefined ? [sighting] : [first, ...others, sighting];
    const repeated = { ...common, sightings, isCopy: before.length > 0 };
    return original?.answerTo === undefined ? repeated : { ...repeated, answerTo: original.answerTo };
  };
  return {
    packets: packets as readonly TracedPacket[],
    add(sent: SentPacket): void {
      const { at, segment, node, receiver, decoded } = sent;
      const { tuple, tunnels } = decoded;
      const seen = { at, segment, sender: node, tuple, tunnels };
      const sighting: Sighting = receiver === undefined ? seen : { ...seen, receiver };
      const here = sighting.tuple;
      const there = waiting.find(node, decoded, at - LONGEST_HOP_MS);
      const asked = there.find((packet) => isReversed(lastSighting(packet).tuple, here));
      const forwarded = there.filter((packet) => !goesBack(lastSighting(packet).tuple, here));
      const [best, ...others] = translations.likeliest(node, here, forwarded);
      let packet = best;
      if (packet !== undefined) continued(packet, sighting, sent, others.length > 0);
      else {
        if (asked !== undefined) waiting.remove(node, decoded, asked);
        packet = begun(sighting, sent, asked);
        packets.push(packet);
        sentBy.add(node, decoded, packet);
      }
      if (receiver !== undefined) waiting.add(receiver, decoded, packet);
    },
  };
}

/** What routers have made of five-tuples, as far as it was clear. */
function createTranslations() {
  const byNode = new Map<string, Map<FiveTuple, FiveTuple>>();
  const rank = (node: string, from: FiveTuple, to: FiveTuple): number => {
    if (from === to) return 0;
    const known = byNode.get(node)?.get(from);
    return known === to ? 0 : known === undefined ? 1 : 2;
  };
  return {
    learn(node: string, from: FiveTuple, to: FiveTuple): void {
      const known = byNode.get(node) ?? new Map<FiveTuple, FiveTuple>();
      byNode.set(node, known);
      known.set(from, to);
    },
    /** The packets that a router is likeliest to send on with this five-tuple, earliest first. */
    likeliest(node: string, to: FiveTuple, packets: readonly OpenPacket[]): readonly OpenPacket[] {
      if (packets.length < 2) return packets;
      const ranks = packets.map((packet) => rank(node, lastSighting(packet).tuple, to));
      const best = Math.min(...ranks);
      return packets.filter((_, i) => ranks[i] === best);
    },
  };
}

/** Whether a packet was seen as this one is: from the same node on the same segment, with the same addresses. */
function hasSame({ sightings }: OpenPacket, { sender, segment, tuple }: Sighting): boolean {
  return sightings.some((own) => own.sender === sender && own.segment === segment && own.tuple === tuple);
}
