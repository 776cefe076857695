/**
 * `testbed list`: the available topologies. Reads only the text of the files, so that it is fast and shows invalid
 * files too; `testbed validate` checks them.
 */

import { parseDocument } from "yaml";
import { formatColumns } from "../report/text-table.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { readTopologyFile, topologyNames } from "./topology-files.ts";

/** What helps a reader choose a topology. */
export interface TopologyListing {
  readonly name: string;
  readonly summary: string;
  /** What the two ends of each session are behind. */
  readonly edges: string;
  /** The paths that its file expects, in order. */
  readonly paths: readonly string[];
  /** The same with the types of the selected pairs. */
  readonly expected: string;
}

export async function list(json: boolean, context: CommandContext): Promise<ExitCode> {
  const names = await topologyNames();
  const files = await Promise.all(names.map((name) => readTopologyFile(name, context.directory)));
  const listings = files.map(({ text }, i) => describeTopology(names[i] ?? "", readable(text)));
  if (json) {
    context.printJson(listings);
    return 0;
  }
  const rows = listings.map(({ name, edges, paths, summary }) => [name, edges, paths.join(", ") || "-", summary]);
  const [header = "", ...lines] = formatColumns([["topology", "edges", "expected path", "summary"], ...rows]);
  context.print(context.paint.faint(header));
  for (const line of lines) context.print(line);
  return 0;
}

/** The content of a file, if it is YAML. */
export function readable(text: string): unknown {
  try {
    return parseDocument(text, { logLevel: "silent" }).toJS() as unknown;
  } catch {
    // Anything that YAML allows and JavaScript cannot represent, such as an alias that expands too far.
    return undefined;
  }
}

/** Reads what it can of a file's content, valid or not. */
export function describeTopology(name: string, content: unknown): TopologyListing {
  const nodes = entries(field(content, "nodes"));
  const sessions = items(field(content, "sessions"));
  const edges = sessions.map((session) =>
    [field(session, "from"), field(session, "to")].map((end) => edgeOf(text(end), nodes)).join(" × "),
  );
  const expected = items(field(content, "expect")).flatMap((entry) => {
    const path = text(field(entry, "path"));
    const selected = items(field(entry, "selected")).map(text).join(" → ");
    return path === "" ? [] : [{ path, text: selected === "" ? path : `${path}: ${selected}` }];
  });
  return {
    name,
    summary: text(field(content, "summary")),
    edges: edges.join("; ") || "-",
    paths: expected.map(({ path }) => path),
    expected: expected.map((entry) => entry.text).join("; ") || "-",
  };
}

/** The router that a node is behind. */
function edgeOf(node: string, nodes: readonly (readonly [string, unknown])[]): string {
  const on = names(field(nodes.find(([name]) => name === node)?.[1], "on"));
  const middlebox = nodes.find(([, entry]) => names(field(entry, "lan")).some((lan) => on.includes(lan)))?.[1];
  if (middlebox === undefined) return "none";
  const nat = field(middlebox, "nat");
  if (nat === undefined)
    return names(field(middlebox, "prefixTranslation")).map(prefixTranslation).join(" and ") || "firewall";
  return typeof nat === "string" ? nat : text(field(nat, "preset")) || "own NAT";
}

function prefixTranslation(ipVersion: string): string {
  return ipVersion === "ipv4" ? "1:1 NAT" : "NPTv6";
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** One name, several, or the keys of a map with details for each. */
function names(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.map(text) : entries(value).map(([name]) => name);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
