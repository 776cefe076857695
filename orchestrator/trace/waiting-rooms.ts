/** Packets at nodes, found by their content. */

import type { DecodedPacket } from "./decode-frame.ts";

export interface WaitingRooms<Packet> {
  add(node: string, content: DecodedPacket, packet: Packet): void;
  remove(node: string, content: DecodedPacket, packet: Packet): void;
  /** Packets of equal content that came to a node since then, earliest first. */
  find(node: string, content: DecodedPacket, since: number): readonly Packet[];
}

/** Packets of equal content at one node that are looked at; there are more only where all are equal. */
const MOST_COMPARED = 64;

const NOBODY: readonly never[] = [];

export function createWaitingRooms<Packet extends { readonly sightings: readonly { readonly at: number }[] }>(
  contentOf: (packet: Packet) => DecodedPacket,
): WaitingRooms<Packet> {
  const rooms = new Map<string, Map<number, Packet[]>>();
  const placesOf = (node: string, content: DecodedPacket): Packet[] | undefined =>
    rooms.get(node)?.get(content.fingerprint);
  return {
    add(node, content, packet) {
      const room = rooms.get(node) ?? new Map<number, Packet[]>();
      rooms.set(node, room);
      const there = room.get(content.fingerprint);
      if (there === undefined) room.set(content.fingerprint, [packet]);
      else there.push(packet);
    },
    remove(node, content, packet) {
      const there = placesOf(node, content);
      const at = there?.indexOf(packet) ?? -1;
      if (at !== -1) there?.splice(at, 1);
      if (there?.length === 0) rooms.get(node)?.delete(content.fingerprint);
    },
    find(node, content, since) {
      const there = placesOf(node, content);
      if (there === undefined) return NOBODY;
      const fresh = there.findIndex(({ sightings }) => (sightings.at(-1)?.at ?? 0) >= since);
      if (fresh !== 0) there.splice(0, fresh === -1 ? there.length : fresh);
      return there.slice(0, MOST_COMPARED).filter((packet) => isEqual(contentOf(packet), content));
    },
  };
}

function isEqual(a: DecodedPacket, b: DecodedPacket): boolean {
  return (
    a.sequence === b.sequence &&
    a.octets === b.octets &&
    a.tuple.protocol === b.tuple.protocol &&
    hasSameOctets(a.content, b.content)
  );
}

function hasSameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
