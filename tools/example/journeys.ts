/** The messages that the nodes of a run exchanged: each once, with the segments that it crossed. */

import { formatSocketAddress } from "../../agent/src/core/address.ts";
import type { ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";
import { toHex } from "../../test/vectors/hex.ts";
import { contentOf, type Frame, type FrameContent, readFrames, senderMac } from "./frames.ts";
import { type ExampleMessage, readMessage } from "./message.ts";

/** One leg of a message's path. */
export interface Leg {
  readonly iface: string;
  /** The node that sent it on this segment: the originator, a router or a home agent. */
  readonly by: string;
  readonly source: string;
  readonly destination: string;
}

/** A message from its originator to its last segment. */
export interface Journey {
  /** Since the first message. */
  readonly atMs: number;
  readonly from: string;
  /** The node that has the destination address, or undefined if none on the path has it. */
  readonly to: string | undefined;
  readonly message: ExampleMessage;
  /** The UDP payload as the originator sent it. */
  readonly octets: Uint8Array;
  readonly legs: readonly Leg[];
}

/** Messages of the protocol and of data, in order, without verification probes and neighbour discovery. */
export function readJourneys(file: Uint8Array, topology: ResolvedTopology): readonly Journey[] {
  const nodes = new Map(topology.nodes.flatMap(({ name, interfaces }) => interfaces.map(({ mac }) => [mac, name])));
  const begun: { frame: Frame; content: FrameContent; legs: Leg[] }[] = [];
  const open = new Map<string, (typeof begun)[number]>();
  for (const frame of readFrames(file)) {
    const content = contentOf(frame);
    if (content === undefined) continue;
    const leg = { iface: frame.iface, by: nodes.get(senderMac(frame)) ?? senderMac(frame), ...ends(content) };
    const key = identity(content);
    const known = open.get(key);
    if (known !== undefined && known.legs[0]?.by !== leg.by) known.legs.push(leg);
    else {
      const journey = { frame, content, legs: [leg] };
      open.set(key, journey);
      begun.push(journey);
    }
  }
  const startNs = begun[0]?.frame.timeNs ?? 0n;
  return begun.flatMap(({ frame, content, legs }) => {
    const [first] = legs;
    if (content.type !== "udp" || first === undefined) return [];
    const message = readMessage(content, candidatePorts(topology));
    if (message === undefined) return [];
    const atMs = Number(frame.timeNs - startNs) / 1e6;
    return [{ atMs, from: first.by, to: addressee(legs, topology), message, octets: content.payload, legs }];
  });
}

/** Equal for one packet on all its legs: a home agent removes UDP and decrements the hop limit. */
function identity(content: FrameContent): string {
  const octets = content.type === "udp" ? content.payload : content.packet;
  const isIpv6 = (octets[0] ?? 0) >> 4 === 6;
  return toHex(isIpv6 ? Uint8Array.from(octets).fill(0, 7, 8) : octets);
}

function ends(content: FrameContent): { readonly source: string; readonly destination: string } {
  if (content.type === "ipv6") return { source: content.source, destination: content.destination };
  return { source: formatSocketAddress(content.source), destination: formatSocketAddress(content.destination) };
}

function candidatePorts(topology: ResolvedTopology): readonly number[] {
  return topology.nodes.flatMap((node) => ("port" in node ? [node.port] : []));
}

/** The node that has the address on the last segment. */
function addressee(legs: readonly Leg[], { nodes }: ResolvedTopology): string | undefined {
  const last = legs.at(-1);
  if (last === undefined) return undefined;
  const owner = nodes.find(({ interfaces }) =>
    interfaces.some(
      ({ segment, ipv4 }) => segment === last.iface && last.destination.startsWith(`${ipv4?.split("/")[0] ?? "-"}:`),
    ),
  );
  return owner?.role === "router" || owner?.name === last.by ? undefined : owner?.name;
}
