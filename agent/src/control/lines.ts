/** Splits a byte stream into lines. Lines are cut before they are decoded, so that no character is split. */

const NEWLINE = 0x0a;

/** Longest line accepted, octets: a NAT's rules with full port maps take about a tenth. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** A complete line without its newline, or the length of one that was too long and is left out. */
export type SplitLine = { readonly ok: true; readonly line: string } | { readonly ok: false; readonly octets: number };

export interface LineSplitter {
  /** Takes the next bytes of the stream and returns the lines they complete, in order. */
  push(chunk: Uint8Array): readonly SplitLine[];
}

/** A splitter that buffers at most `maxBytes` of an unfinished line; a longer line is dropped up to its newline. */
export function createLineSplitter(maxBytes: number = MAX_LINE_BYTES): LineSplitter {
  let pieces: Uint8Array[] = [];
  let octets = 0;

  const hold = (piece: Uint8Array): void => {
    octets += piece.length;
    if (octets > maxBytes) pieces = [];
    // The caller may reuse its buffer, so the remainder is copied.
    else if (piece.length > 0) pieces.push(piece.slice());
  };
  const finish = (): SplitLine => {
    const line: SplitLine = octets > maxBytes ? { ok: false, octets } : { ok: true, line: decodePieces(pieces) };
    pieces = [];
    octets = 0;
    return line;
  };

  return {
    push(chunk) {
      const lines: SplitLine[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        hold(chunk.subarray(start, end));
        lines.push(finish());
        start = end + 1;
      }
      hold(chunk.subarray(start));
      return lines;
    },
  };
}

function decodePieces(pieces: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
  return text + decoder.decode();
}
