/**
 * The stream of an attached container without a terminal: stdout and stderr interleaved, each frame with a header of 8
 * octets (stream number, three zeros, length as a 32-bit big-endian number). Frames end anywhere, also inside a
 * character, so they are split as bytes.
 */

const HEADER_OCTETS = 8;
const STDERR = 2;

export interface FrameSink {
  readonly stdout: (piece: Uint8Array) => void;
  readonly stderr: (piece: Uint8Array) => void;
}

/**
 * Returns a function that takes the stream's chunks in order and delivers their payload without waiting for whole
 * frames.
 */
export function frameDemultiplexer(sink: FrameSink): (chunk: Uint8Array) => void {
  let header = Buffer.alloc(0);
  let remaining = 0;
  let deliver = sink.stdout;

  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (remaining === 0) {
        const missing = HEADER_OCTETS - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < HEADER_OCTETS) return;
        deliver = header[0] === STDERR ? sink.stderr : sink.stdout;
        remaining = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      } else {
        const piece = rest.subarray(0, remaining);
        remaining -= piece.length;
        rest = rest.subarray(piece.length);
        deliver(piece);
      }
    }
  };
}
