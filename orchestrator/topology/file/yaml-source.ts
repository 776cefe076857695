/** The text of a topology file as YAML: its data, its syntax errors, and the position of everything in it. */

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
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

/** Parses text; problems are returned, never thrown. Duplicate keys leave the data usable: the last one wins. */
export function readYaml(text: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const errors = document.errors.map((error) => problemOf(error, text, lineCounter));
  const problemAt = (offset: number, message: string): YamlProblem => ({
    kind: "syntax",
    message,
    ...positionAt(lineCounter, offset),
  });
  for (const offset of unresolvedAliases(document))
    errors.push(problemAt(offset, `${wordAt(text, offset)}, which stands for nothing before it`));
  const isReadable = errors.every((error) => error.kind === "duplicate-key");
  const data = isReadable ? dataOf(document, (message) => errors.push(problemAt(0, message))) : undefined;
  return {
    data,
    errors: withoutEchoes(errors),
    locate: (path, at = "value") => positionAt(lineCounter, offsetOf(document.contents, path, at)),
  };
}

/** The parser throws on aliases that would exhaust memory, and on merges (`<<`, YAML 1.1) of anything but a mapping. */
function dataOf(document: Document.Parsed, report: (message: string) => void): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const isTooMuch = error instanceof ReferenceError;
    report(isTooMuch ? "aliases of aliases that come to too much" : `what YAML cannot make sense of: ${String(error)}`);
    return undefined;
  }
}

/** Messages for the writer of a topology, in place of the parser's, which are for its caller. */
const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document, where a file holds one",
  RESOURCE_EXHAUSTION: "more brackets inside of each other than can be read",
  TAB_AS_INDENT: "a tab, where spaces indent",
};

function problemOf(error: YAMLError, text: string, lineCounter: LineCounter): YamlProblem {
  const position = positionAt(lineCounter, error.pos[0]);
  if (error.code === "DUPLICATE_KEY")
    return { kind: "duplicate-key", message: wordAt(text, error.pos[0]), ...position };
  return { kind: "syntax", message: SYNTAX_MESSAGES[error.code] ?? error.message, ...position };
}

/** One cause can make the parser report the same problem on many lines: keeps the first. */
function withoutEchoes(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  return problems.filter(
    ({ kind, message }, i) =>
      kind === "duplicate-key" || problems.findIndex((other) => other.kind === kind && other.message === message) === i,
  );
}

/** Offsets of aliases whose anchor is missing or comes later. */
function unresolvedAliases(document: Document.Parsed): readonly number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function wordAt(text: string, offset: number): string {
  return /^[^\s:,}\]]+/.exec(text.slice(offset))?.[0] ?? "a key";
}

function positionAt(lineCounter: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Offset in the text of the value at a path, or of its nearest enclosing value. */
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
