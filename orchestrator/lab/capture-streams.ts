/** Collects the captures of a run as they come in: one pcap stream for each node on each segment. */

/** What one node captured on one segment. */
export interface CaptureStream {
  readonly node: string;
  readonly segment: string;
  /** One pcap file, cut off where the node ended early. */
  readonly pcap: Uint8Array;
  /** By the kernel's count; absent when the node ended before it reported it. */
  readonly droppedByKernel?: number;
}

export interface CaptureStreams {
  append(node: string, segment: string, data: Uint8Array): void;
  complete(node: string, segment: string, droppedByKernel: number): void;
  all(): readonly CaptureStream[];
}

export function createCaptureStreams(): CaptureStreams {
  const streams = new Map<string, { node: string; segment: string; chunks: Uint8Array[]; droppedByKernel?: number }>();
  const streamOf = (node: string, segment: string) => {
    const key = `${node}/${segment}`;
    const stream = streams.get(key) ?? { node, segment, chunks: [] };
    streams.set(key, stream);
    return stream;
  };
  return {
    append: (node, segment, data) => void streamOf(node, segment).chunks.push(data),
    complete: (node, segment, droppedByKernel) => void (streamOf(node, segment).droppedByKernel = droppedByKernel),
    all: () => [...streams.values()].map(({ chunks, ...stream }) => ({ ...stream, pcap: Buffer.concat(chunks) })),
  };
}
