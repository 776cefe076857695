/**
 * What a line of a program's output is compared with, as a file writes it: text that the line contains, or a regular
 * expression between slashes, with flags of JavaScript after it. What ends in other letters, as /usr/bin does, is text.
 */

const EXPRESSION = /^\/(.+)\/([dgimsuvy]*)$/;

/** Flags that make no sense for one line: they make a match depend on the one before it. */
const STATEFUL_FLAGS = /[gy]/;

/** Why a text is no pattern, to be completed with what was found; undefined for a pattern. */
export function outputPatternProblem(pattern: string): string | undefined {
  if (pattern === "") return "expected text of a line, or a regular expression such as /connected to \\d+/";
  const [, source, flags = ""] = EXPRESSION.exec(pattern) ?? [];
  if (source === undefined) return undefined;
  if (STATEFUL_FLAGS.test(flags)) return "expected a regular expression without the flags g and y";
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : String(error);
    return `expected a regular expression that can be read (${why})`;
  }
}

/** Whether a line matches a pattern without problems. */
export function createOutputMatcher(pattern: string): (line: string) => boolean {
  const [, source, flags] = EXPRESSION.exec(pattern) ?? [];
  if (source === undefined) return (line) => line.includes(pattern);
  const expression = new RegExp(source, flags);
  return (line) => expression.test(line);
}
