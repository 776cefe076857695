/** What is wrong with a topology file, and where: every problem is one value, so that all are reported at once. */

import { printableLine } from "../model/printable.ts";

/** Every kind of problem. Codes are stable; messages may improve. */
export type IssueCode =
  | "yaml"
  | "wrong-type"
  | "bad-value"
  | "missing"
  | "unknown-key"
  | "unsupported"
  | "duplicate"
  | "unknown-reference"
  | "bad-address"
  | "forbidden-address"
  | "overlap"
  | "unreachable";

/** Keys and indices from the root of the file to the value concerned. */
export type IssuePath = readonly (string | number)[];

/** One problem. `line` and `column` count from 1. */
export interface TopologyIssue {
  readonly code: IssueCode;
  /** What was expected, what was found, what to do. */
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Dotted path inside the file, such as `nodes.mn.homeAgent`; empty for the file as a whole. */
  readonly path: string;
}

/** Longer than the path of any value of the format, and than what we say of one. */
const LONGEST_PATH = 200;
const LONGEST_MESSAGE = 2000;

/**
 * `file:line:column path: message`, the form editors and terminals make clickable. One line, in characters that show:
 * path and message may quote the file.
 */
export function formatIssue({ file, line, column, path, message }: TopologyIssue): string {
  const place = path === "" ? "" : `${shortened(path, LONGEST_PATH)}: `;
  return printableLine(`${file}:${line}:${column} ${place}${shortened(message, LONGEST_MESSAGE)}`);
}

/** Text in at most `length` characters, and a sign that more follows. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** Dotted text of a path: `sessions[0].from`. */
export function formatPath(path: IssuePath): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}

/** Issues in the order of the file. */
export function inFileOrder(issues: readonly TopologyIssue[]): TopologyIssue[] {
  return issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
