/** The text of a topology file as YAML: its data, its syntax errors, and the position of everything in it. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import type { IssuePath } from "./issue.ts";
import { MOST_NESTED, tooDeepAt } from "./nesting.ts";
import type { Locate } from "./topology.ts";

export interface YamlSource {
  /** Plain data; undefined when the text is not YAML at all. */
  readonly data: unknown;
  readonly errors: readonly YamlProblem[];
  readonly locate: Locate;
}

/** A syntax error, a key that occurs twice in one mapping, or a key that no mapping can have. */
interface YamlProblem {
  readonly kind: "syntax" | "duplicate-key" | "reserved-key";
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The parser looks for an alias's anchor in the whole document, and again for each alias. */
const MOST_ALIASES = 100;

/** JavaScript's name for what a value inherits from: as a key of ours it would be lost. */
const RESERVED_KEY = "__proto__";

/** Parses text; problems are returned, never thrown. Duplicate keys leave the data usable: the last one wins. */
export function readYaml(text: string): YamlSource {
  const offset = tooDeepAt(text);
  if (offset !== undefined) return tooDeep(text, offset);
  try {
    return readDocument(text);
  } catch (error) {
    // By indentation the parser gets deeper than its stack too.
    if (!(error instanceof RangeError)) throw error;
    return tooDeep(text, 0);
  }
}

function tooDeep(text: string, offset: number): YamlSource {
  const lines = text.slice(0, offset).split("\n");
  const position = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  return { data: undefined, errors: [{ kind: "syntax", message: TOO_DEEP, ...position }], locate: () => position };
}

function readDocument(text: string): YamlSource {
  const lineCounter = new LineCounter();
  // Its own search for duplicate keys takes the square of their number.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: "error" });
  const errors = document.errors.map((error) => problemOf(error, lineCounter));
  const problemAt = (offset: number, message: string, kind: YamlProblem["kind"] = "syntax"): void => {
    errors.push({ kind, message, ...positionAt(lineCounter, offset) });
  };
  const { unresolved, aliases, repeated } = surveyOf(document);
  for (const offset of repeated) problemAt(offset, wordAt(text, offset), "duplicate-key");
  for (const offset of unresolved) problemAt(offset, `${wordAt(text, offset)}, which stands for nothing before it`);
  const beyond = aliases[MOST_ALIASES];
  if (beyond !== undefined) problemAt(beyond, `more than ${MOST_ALIASES} aliases`);
  const locate = locator(document, lineCounter);
  const isReadable = errors.every((error) => error.kind !== "syntax");
  const data = isReadable ? dataOf(document, (message) => problemAt(0, message)) : undefined;
  for (const problem of findUnusable(data))
    errors.push({ ...problem, ...locate(problem.path, problem.kind === "reserved-key" ? "key" : "value") });
  return { data, errors: withoutEchoes(errors), locate };
}

interface Survey {
  /** Offsets of all aliases, of those whose anchor is missing or comes later, and of keys that their mapping has. */
  readonly aliases: readonly number[];
  readonly unresolved: readonly number[];
  readonly repeated: readonly number[];
}

function surveyOf(document: Document.Parsed): Survey {
  const anchors = new Set<string>();
  const survey = { aliases: [] as number[], unresolved: [] as number[], repeated: [] as number[] };
  visit(document, {
    Node: (_key, node) => {
      if (isMap(node)) survey.repeated.push(...repeatedKeys(node));
      if (isAlias(node)) {
        survey.aliases.push(node.range?.[0] ?? 0);
        if (!anchors.has(node.source)) survey.unresolved.push(node.range?.[0] ?? 0);
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  return survey;
}

function repeatedKeys({ items }: YAMLMap): readonly number[] {
  const seen = new Set<unknown>();
  return items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const isRepeated = seen.has(key.value);
    seen.add(key.value);
    return isRepeated ? [key.range?.[0] ?? 0] : [];
  });
}

/** What the rest of the program cannot use: the first value that lies too deep, and reserved keys. */
function findUnusable(
  data: unknown,
): readonly (Pick<YamlProblem, "kind" | "message"> & { readonly path: IssuePath })[] {
  const found: (Pick<YamlProblem, "kind" | "message"> & { readonly path: IssuePath })[] = [];
  // An alias makes the same value occur again, also inside of itself.
  const seen = new Set<unknown>();
  const waiting: { readonly value: unknown; readonly path: IssuePath }[] = [{ value: data, path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (path.length >= MOST_NESTED) return [...found, { kind: "syntax", message: TOO_DEEP, path }];
    if (Object.hasOwn(value, RESERVED_KEY))
      found.push({ kind: "reserved-key", message: RESERVED_KEY, path: [...path, RESERVED_KEY] });
    const isList = Array.isArray(value);
    for (const [key, inner] of Object.entries(value))
      waiting.push({ value: inner, path: [...path, isList ? Number(key) : key] });
  }
  return found;
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
const TOO_DEEP = "more lists and mappings inside of each other than can be read";
const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document, where a file holds one",
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: "a tab, where spaces indent",
};

function problemOf(error: YAMLError, lineCounter: LineCounter): YamlProblem {
  const message = SYNTAX_MESSAGES[error.code] ?? error.message;
  return { kind: "syntax", message, ...positionAt(lineCounter, error.pos[0]) };
}

/** One cause can make the parser report the same problem on many lines: keeps the first. */
function withoutEchoes(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ kind, message }) => {
    if (kind !== "syntax") return true;
    const isFirst = !seen.has(message);
    seen.add(message);
    return isFirst;
  });
}

function wordAt(text: string, offset: number): string {
  return /^[^\s:,}\]]+/.exec(text.slice(offset))?.[0] ?? "a key";
}

function positionAt(lineCounter: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Finds values by path: the value itself, or its nearest enclosing value. */
function locator({ contents }: Document.Parsed, lineCounter: LineCounter): Locate {
  const pairsOf = createPairIndex();
  const step = (
    node: unknown,
    part: string | number,
  ): { readonly key?: unknown; readonly value: unknown } | undefined => {
    if (isMap(node)) return pairsOf(node).get(String(part));
    return isSeq(node) && typeof part === "number" && part in node.items ? { value: node.items[part] } : undefined;
  };
  return (path, at = "value") => {
    let node: unknown = contents;
    let offset = startOf(contents) ?? 0;
    for (const [i, part] of path.entries()) {
      const found = step(node, part);
      if (found === undefined) break;
      const isWanted = at === "value" && i === path.length - 1;
      const [first, second] = isWanted ? [found.value, found.key] : [found.key, found.value];
      offset = startOf(first) ?? startOf(second) ?? offset;
      node = found.value;
    }
    return positionAt(lineCounter, offset);
  };
}

/** The pairs of a mapping by key, the last of each; thousands of problems may be in one mapping. */
function createPairIndex(): (map: YAMLMap) => ReadonlyMap<string, Pair> {
  const known = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  return (map) => {
    const index =
      known.get(map) ??
      new Map(map.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair]] : [])));
    known.set(map, index);
    return index;
  };
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
