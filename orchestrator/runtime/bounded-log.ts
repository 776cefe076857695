/**
 * What a node or program has written, in bounded memory: the beginning and the end, and a note of what is left out
 * between them. A program may write without end.
 */

export interface BoundedLog {
  readonly add: (text: string) => void;
  readonly text: () => string;
  /** Forgets everything. */
  readonly clear: () => void;
}

/** Characters of a log, half of them from its beginning. An engine keeps as much. */
export const MOST_LOG_CHARACTERS = 4_000_000;

/** Parts of a log that are dropped at once. */
const BLOCKS = 64;

export function createBoundedLog(most: number = MOST_LOG_CHARACTERS): BoundedLog {
  const half = most / 2;
  const block = most / BLOCKS;
  let head = "";
  let tail: string[] = [];
  let tailLength = 0;
  let omitted = 0;

  const addToTail = (text: string): void => {
    const last = tail.at(-1);
    if (last !== undefined && last.length < block) tail[tail.length - 1] = last + text;
    else tail.push(text);
    tailLength += text.length;
    for (let first = tail[0]; first !== undefined && tailLength - first.length >= half; first = tail[0]) {
      tail.shift();
      tailLength -= first.length;
      omitted += first.length;
    }
  };
  return {
    add(text) {
      const room = half - head.length;
      head += text.slice(0, room);
      if (text.length > room) addToTail(text.slice(room));
    },
    text: () => {
      const note = omitted === 0 ? "" : `\n[${omitted} characters left out: a log keeps ${most}]\n`;
      return head + note + tail.join("");
    },
    clear() {
      head = "";
      tail = [];
      tailLength = 0;
      omitted = 0;
    },
  };
}
