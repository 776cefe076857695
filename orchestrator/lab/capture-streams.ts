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

/** Octets that a run keeps of its captures; to join them takes some times as much memory. */
export const MOST_CAPTURE_OCTETS = 256_000_000;

export interface CaptureStreams {
  append(node: string, segment: string, data: Uint8Array): void;
  complete(node: string, segment: string, droppedByKernel: number): void;
  /** Whether a capture lasted until its node ended it. */
  isComplete(node: string, segment: string): boolean;
  all(): readonly CaptureStream[];
}

/** `onFull` is called once, when there is more than `mostOctets`: all streams end there. */
export function createCaptureStreams(onFull: () => void, mostOctets: number = MOST_CAPTURE_OCTETS): CaptureStreams {
  let octets = 0;
  let isFull = false;
  const streams = new Map<string, { node: string; segment: string; chunks: Uint8Array[]; droppedByKernel?: number }>();
  const streamOf = (node: string, segment: string) => {
    const key = `${node}/${segment}`;
    const stream = streams.get(key) ?? { node, segment, chunks: [] };
    streams.set(key, stream);
    return stream;
  };
  return {
    append(node, segment, data) {
      if (isFull) return;
      octets += data.length;
      isFull = octets > mostOctets;
      if (isFull) onFull();
      else streamOf(node, segment).chunks.push(data);
    },
    complete: (node, segment, droppedByKernel) => void (streamOf(node, segment).droppedByKernel = droppedByKernel),
    isComplete: (node, segment) => streamOf(node, segment).droppedByKernel !== undefined,
    all: () => [...streams.values()].map(({ chunks, ...stream }) => ({ ...stream, pcap: Buffer.concat(chunks) })),
  };
}
