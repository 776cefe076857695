/** The captures of all nodes and segments, decoded and in the order of time. */

import { u16, u32 } from "./content.ts";
import { type DecodedPacket, decodeFrame } from "./decode-frame.ts";
import { createTupleTable } from "./five-tuple.ts";
import { readPcap } from "./pcap.ts";
import { createReassembly } from "./reassembly.ts";

/** What one node sent on one segment, as a pcap file. */
export interface TraceStream {
  readonly node: string;
  readonly segment: string;
  readonly pcap: Uint8Array;
}

/** A packet that was captured as its sender, `node`, sent it. */
export interface SentPacket {
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number;
  readonly node: string;
  readonly segment: string;
  /** The node that the frame is addressed to; absent where no node of the lab has sent from that MAC address. */
  readonly receiver?: string;
  readonly decoded: DecodedPacket;
}

const NANOSECONDS_IN_A_MILLISECOND = 1e6;
const DESTINATION_MAC_AT = 0;
const SOURCE_MAC_AT = 6;

interface TimedFrame extends Pick<SentPacket, "node" | "segment" | "decoded"> {
  readonly timeNs: bigint;
  readonly frame: Uint8Array;
}

/** Every packet with a content. Time is compared in nanoseconds: a router forwards a packet within a few microseconds. */
export function readStreams(streams: readonly TraceStream[]): readonly SentPacket[] {
  const tuples = createTupleTable();
  const owners = createOwners();
  const frames: TimedFrame[] = [];
  for (const { node, segment, pcap } of streams) {
    const context = { tuples, fragments: createReassembly() };
    for (const { timeNs, frame, originalLength } of readPcap(pcap)) {
      owners.add(segment, frame, node);
      const decoded = decodeFrame(frame, originalLength, context);
      if (decoded !== undefined) frames.push({ timeNs, node, segment, frame, decoded });
    }
  }
  frames.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  return frames.map(({ timeNs, node, segment, frame, decoded }) => {
    const receiver = owners.receiverOf(segment, frame);
    const sent = { at: Number(timeNs) / NANOSECONDS_IN_A_MILLISECOND, node, segment, decoded };
    return receiver === undefined ? sent : { ...sent, receiver };
  });
}

/** Whose the MAC addresses of each segment are, by what was sent from them. */
function createOwners() {
  const bySegment = new Map<string, Map<number, string>>();
  return {
    add(segment: string, frame: Uint8Array, node: string): void {
      const owners = bySegment.get(segment) ?? new Map<number, string>();
      bySegment.set(segment, owners);
      owners.set(macAt(frame, SOURCE_MAC_AT), node);
    },
    receiverOf: (segment: string, frame: Uint8Array): string | undefined =>
      bySegment.get(segment)?.get(macAt(frame, DESTINATION_MAC_AT)),
  };
}

function macAt(frame: Uint8Array, at: number): number {
  return u16(frame, at) * 2 ** 32 + u32(frame, at + 2);
}
