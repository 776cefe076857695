/**
 * Splits a byte stream into lines: bytes are split at newlines before they are decoded, so that no character is torn.
 */

const NEWLINE = 0x0a;

/** Longest line, octets: more than a node's captures and rules take. */
const MOST_LINE_OCTETS = 4 * 1024 * 1024;

/**
 * Complete lines of `stream` in order, without their newline; an unfinished last line is dropped. Throws where a line
 * goes on for more than `mostOctets`: it may have no end.
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  mostOctets: number = MOST_LINE_OCTETS,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let pieces: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, end));
      yield decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
      pieces = [];
      held = 0;
      start = end + 1;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > mostOctets) throw new Error(`a line went on for more than ${mostOctets} octets`);
  }
}
