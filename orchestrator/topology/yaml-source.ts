/** The text of a topology file as YAML: its data, its syntax errors, and the position of everything in it. */

import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLError } from "yaml";
import type { IssuePath } from "./issue.ts";
import type { Locate } from "./topology.ts";

export interface YamlSource {
  /** Plain data; undefined when the text is not YAML at all. */
  readonly data: unknown;
  readonly errors: readonly YamlProblem[];
  readonly locate: Locate;
}

/** A syntax error, or a key that occurs twice in one mapping. */
interface YamlProblem {
  readonly kind: "syntax" | "duplicate-key";
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** Parses text; problems are returned, never thrown. Duplicate keys leave the data usable, the last one counting. */
export function readYaml(text: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const errors = document.errors.map((error) => problemOf(error, text, lineCounter));
  const isUsable = errors.every((error) => error.kind === "duplicate-key");
  return {
    data: isUsable ? (document.toJS() as unknown) : undefined,
    errors,
    locate: (path, at = "value") => positionAt(lineCounter, offsetOf(document.contents, path, at)),
  };
}

function problemOf(error: YAMLError, text: string, lineCounter: LineCounter): YamlProblem {
  const position = positionAt(lineCounter, error.pos[0]);
  if (error.code !== "DUPLICATE_KEY") return { kind: "syntax", message: error.message, ...position };
  const key = /^[^\s:,}]+/.exec(text.slice(error.pos[0]))?.[0] ?? "a key";
  return { kind: "duplicate-key", message: key, ...position };
}

function positionAt(lineCounter: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Offset in the text of what a path leads to, as far as it leads. */
function offsetOf(root: unknown, path: IssuePath, at: "key" | "value"): number {
  let node = root;
  let offset = startOf(root) ?? 0;
  for (const [i, part] of path.entries()) {
    const pair = isMap(node) ? node.items.findLast((item) => keyOf(item) === String(part)) : undefined;
    const value =
      pair === undefined ? (isSeq(node) && typeof part === "number" ? node.items[part] : undefined) : pair.value;
    const isLast = i === path.length - 1;
    if (pair === undefined && value === undefined) break;
    const keyOffset = startOf(pair?.key);
    offset = (isLast && at === "value" ? startOf(value) : undefined) ?? keyOffset ?? startOf(value) ?? offset;
    node = value;
  }
  return offset;
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
