/** Reads the text of a topology file: YAML, then shape. Every problem is found in one pass, with its position. */

import type * as z from "zod";
import { expandHosts } from "./extends.ts";
import { formatPath, type IssuePath, inFileOrder, type TopologyIssue } from "./issue.ts";
import { isMapping } from "./mapping.ts";
import { expectationSchema, sessionSchema } from "./schema/expectation.ts";
import { flowSchema } from "./schema/flow.ts";
import { linkSchema } from "./schema/link.ts";
import { timelineEventSchema } from "./schema/timeline.ts";
import { nodeSchema, segmentSchema, topologySchema } from "./schema.ts";
import { describeShapeIssue, type ShapeIssue } from "./shape-issue.ts";
import { tooMany } from "./size-limits.ts";
import type { ListEntry, Topology } from "./topology.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

export type ParseResult =
  | { readonly ok: true; readonly topology: Topology }
  | { readonly ok: false; readonly issues: readonly TopologyIssue[] };

/** Parses a topology file. `file` is the name that issues carry. */
export function parseTopology(text: string, file: string): ParseResult {
  const { topology, issues } = readTopology(text, file);
  return topology !== undefined && issues.length === 0 ? { ok: true, topology } : { ok: false, issues };
}

/** The valid part of the file, absent if there is none, and the issues of the rest. */
export interface TopologyReading {
  readonly topology?: Topology;
  readonly issues: readonly TopologyIssue[];
}

/** Reads the valid parts even where others are not, so that one run can report the problems of all stages. */
export function readTopology(text: string, file: string): TopologyReading {
  const source = readYaml(text);
  const yamlIssues = source.errors.map((error) => yamlIssue(error, file));
  if (source.errors.some((error) => error.kind === "syntax")) return { issues: inFileOrder(yamlIssues) };
  const located = (found: readonly ShapeIssue[]): readonly TopologyIssue[] =>
    found.map(({ code, path, at, message }) => ({
      code,
      message,
      file,
      path: formatPath(path),
      ...source.locate(path, at),
    }));
  // Nothing else is said of a file that holds too much: to find out would take too long.
  const excess = tooMany(source.data);
  if (excess.length > 0) return { issues: inFileOrder(located(excess)) };
  const { data, issues: extendIssues } = expandHosts(source.data);
  const parsed = topologySchema.safeParse(data);
  const shapeIssues = (parsed.error?.issues ?? []).flatMap((i) => describeShapeIssue(i, data));
  const issues = inFileOrder([...yamlIssues, ...located([...extendIssues, ...dropMisspeltDuplicates(shapeIssues)])]);
  return isMapping(data) ? { topology: soundPart(source, data, file), issues } : { issues };
}

/** A misspelt key is not also reported as missing. */
function dropMisspeltDuplicates(issues: readonly ShapeIssue[]): readonly ShapeIssue[] {
  const meant = new Set(issues.flatMap((issue) => (issue.meant === undefined ? [] : [formatPath(issue.meant)])));
  return issues.filter(({ code, path }) => code !== "missing" || !meant.has(formatPath(path)));
}

function yamlIssue({ kind, message, line, column }: YamlSource["errors"][number], file: string): TopologyIssue {
  const position = { file, line, column, path: "" };
  switch (kind) {
    case "syntax":
      return { code: "yaml", message: `expected YAML; found: ${message}; mend the text here`, ...position };
    case "duplicate-key":
      return {
        code: "duplicate",
        message: `expected each key once; found \`${message}\` again; remove or rename one`,
        ...position,
      };
    case "reserved-key":
      return {
        code: "bad-value",
        message: `expected another name; found \`${message}\`, which is reserved; rename it`,
        ...position,
      };
  }
}

/** Blocks that every reference in the file needs. */
const REQUIRED: ReadonlySet<string> = new Set(["segments", "nodes"]);

/** Every valid entry; the others by name only. */
function soundPart(source: YamlSource, data: Readonly<Record<string, unknown>>, file: string): Topology {
  const broken = new Set<string>();
  const mapping = <T>(schema: z.ZodType<T>, key: string): Map<string, T> => {
    const value = data[key];
    if (!isMapping(value) && (value !== undefined || REQUIRED.has(key))) broken.add(key);
    const entries = Object.entries(isMapping(value) ? value : {});
    return new Map(
      entries.flatMap(([name, entry]) => soundEntry(schema, entry, [key, name], broken).map((e) => [name, e])),
    );
  };
  const list = <T>(schema: z.ZodType<T>, key: string): ListEntry<T>[] => {
    const value = data[key];
    if (!Array.isArray(value) && value !== undefined) broken.add(key);
    return (Array.isArray(value) ? value : []).flatMap((item: unknown, i) =>
      soundEntry(schema, item, [key, i], broken).map((entry) => ({ path: [key, i], entry })),
    );
  };
  const { name, summary, seed } = data;
  return {
    file,
    name: typeof name === "string" ? name : "",
    summary: typeof summary === "string" ? summary : "",
    seed: typeof seed === "number" ? seed : undefined,
    segments: mapping(segmentSchema, "segments"),
    nodes: mapping(nodeSchema, "nodes"),
    links: mapping(linkSchema, "links"),
    sessions: list(sessionSchema, "sessions"),
    flows: data["flows"] === "all" ? "all" : list(flowSchema, "flows"),
    timeline: list(timelineEventSchema, "timeline"),
    expectations: list(expectationSchema, "expect"),
    broken,
    locate: source.locate,
  };
}

/** The entry as a list of one, or an empty list if more than an unknown key is wrong with it. */
function soundEntry<T>(schema: z.ZodType<T>, value: unknown, path: IssuePath, broken: Set<string>): T[] {
  const first = schema.safeParse(value);
  if (first.success) return [first.data];
  const second = schema.safeParse(withoutKeys(value, unknownKeys(first.error)));
  if (second.success) return [second.data];
  broken.add(formatPath(path));
  return [];
}

function unknownKeys(error: z.ZodError): ReadonlySet<string> {
  const unknown = error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [],
  );
  return new Set(unknown);
}

function withoutKeys(value: unknown, keys: ReadonlySet<string>): unknown {
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.has(key)));
}
