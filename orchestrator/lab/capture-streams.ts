/** Collects the captures of a run as they arrive: one pcap stream per node and segment. */

/** What one node captured on one segment. */
export interface CaptureStream {
  readonly node: string;
  readonly segment: string;
  /** One pcap file, truncated if the node ended early. */
  readonly pcap: Uint8Array;
  /** As counted by the kernel; absent if the node ended before it reported the count. */
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
