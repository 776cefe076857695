/** The last lines of a log, as the end of an error's message. */

/** Lines that an error quotes, and characters of each. */
const QUOTED_LINES = 10;
const QUOTED_LINE_LENGTH = 300;

/** Nothing for an empty log. */
export function quoteEnd(log: string, title: string): readonly string[] {
  const text = log.trimEnd();
  if (text === "") return [];
  const lines = text.split("\n").slice(-QUOTED_LINES);
  return [`  ${title}`, ...lines.map((line) => `  | ${line.slice(0, QUOTED_LINE_LENGTH)}`)];
}
