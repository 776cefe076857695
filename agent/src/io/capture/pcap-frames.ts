/** Counts the frames in a pcap stream that comes in pieces of any size. */

/** Lengths of the file's header and of the header before each frame, and where in that the frame's length stands (pcap-savefile(5)). */
const FILE_HEADER_LENGTH = 24;
const FRAME_HEADER_LENGTH = 16;
const LENGTH_OFFSET = 8;

export interface FrameCounter {
  readonly add: (piece: Buffer) => void;
  /** Frames that have come whole. */
  readonly count: () => number;
}

/** A counter for what a program on this machine writes, its octets in the machine's order: little-endian. */
export function createFrameCounter(): FrameCounter {
  let begun = 0;
  /** Octets until the next frame header. */
  let missing = FILE_HEADER_LENGTH;
  let cutHeader: Buffer = Buffer.alloc(0);
  return {
    add(piece) {
      const stream = cutHeader.length === 0 ? piece : Buffer.concat([cutHeader, piece]);
      let at = missing;
      for (; at + FRAME_HEADER_LENGTH <= stream.length; begun += 1)
        at += FRAME_HEADER_LENGTH + stream.readUInt32LE(at + LENGTH_OFFSET);
      missing = Math.max(0, at - stream.length);
      cutHeader = stream.subarray(Math.min(at, stream.length));
    },
    count: () => (missing > 0 && begun > 0 ? begun - 1 : begun),
  };
}
