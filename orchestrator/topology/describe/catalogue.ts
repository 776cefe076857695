/** The generated part of `topologies/README.md`: a table of the topologies, and a diagram of each. */

import { hasAddress, nextHop } from "../model/forwarding.ts";
import { FIREWALL_PRESET_NAMES, FIREWALL_PRESETS, NAT_PRESET_NAMES, NAT_PRESETS } from "../model/presets.ts";
import type {
  HostExpectation,
  ResolvedExpectation,
  ResolvedNode,
  ResolvedTopology,
  SessionExpectation,
} from "../model/resolved.ts";
import { homeAgentAddresses } from "../model/server-addresses.ts";
import { predictRun } from "../predict/predict-run.ts";
import { NAT_COLUMNS } from "./behaviour-columns.ts";
import { describeTimelineEvent } from "./describe-event.ts";
import { describeMiddlebox } from "./describe-middlebox.ts";
import { renderDiagram } from "./diagram.ts";

/** The README with its generated parts replaced. Throws RangeError if the marks of a part are missing. */
export function withCatalogue(readme: string, topologies: readonly ResolvedTopology[]): string {
  return replacePart(replacePart(readme, "files", renderCatalogue(topologies)), "presets", renderPresets());
}

function replacePart(readme: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin ${name}: written by \`npm run schema\` -->`, `<!-- end ${name} -->`];
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new RangeError(`expected the lines ${begin} and ${end}`);
  return `${readme.slice(0, from)}${begin}\n\n${content}\n${readme.slice(to)}`;
}

/** The tables of presets. */
function renderPresets(): string {
  const nats = NAT_PRESET_NAMES.map((name) => {
    const cells = NAT_COLUMNS.map(({ cell }) => cell(NAT_PRESETS[name].behaviour));
    return `| \`${name}\` | ${cells.join(" | ")} |`;
  });
  return [
    `| NAT preset | ${NAT_COLUMNS.map(({ title }) => title).join(" | ")} |`,
    `|---|${NAT_COLUMNS.map(() => "---|").join("")}`,
    ...nats,
    "",
    "| NAT preset | what it does | who is known to behave so | source |",
    "|---|---|---|---|",
    ...NAT_PRESET_NAMES.map((name) => describePreset(name, NAT_PRESETS[name])),
    "",
    "| firewall preset | what it does | who is known to behave so | source |",
    "|---|---|---|---|",
    ...FIREWALL_PRESET_NAMES.map((name) => describePreset(name, FIREWALL_PRESETS[name])),
    "",
  ].join("\n");
}

function describePreset(
  name: string,
  { summary, seenIn, source }: { readonly summary: string; readonly seenIn: string; readonly source: string },
): string {
  return `| \`${name}\` | ${summary} | ${seenIn} | ${source} |`;
}

/** Table and diagrams, by name. */
export function renderCatalogue(topologies: readonly ResolvedTopology[]): string {
  const sorted = topologies.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    "| topology | way from end to end | expected | as predicted |",
    "|---|---|---|---|",
    ...sorted.map(tableRow),
    "",
    ...sorted.flatMap((topology) => [
      `### ${topology.name}`,
      "",
      `${topology.summary}.`,
      "",
      ...topology.timeline.map((event) => `- ${describeTimelineEvent(event)}`),
      ...(topology.timeline.length > 0 ? [""] : []),
      "```mermaid",
      renderDiagram(topology).trimEnd(),
      "```",
      "",
    ]),
  ].join("\n");
}

function tableRow(topology: ResolvedTopology): string {
  const { name, sessions, expectations } = topology;
  const ways = sessions.map((session) => wayOf(topology, session.from, session.to));
  const expected = expectations.map(describeExpectation);
  const predicted = predictRun(topology).map(({ after, path, selected }) => {
    const moment = after === undefined ? "" : `after ${after} `;
    return moment + [path, selected?.join(" → ")].filter((part) => part !== undefined).join(": ");
  });
  const cells = [`[${name}](#${name})`, ...[ways, expected, predicted].map((lines) => lines.join("<br/>"))];
  return `| ${cells.join(" | ")} |`;
}

function describeExpectation(expectation: ResolvedExpectation): string {
  return "host" in expectation ? describeHostExpectation(expectation) : describeSessionExpectation(expectation);
}

function describeHostExpectation({ host, after, exit, output, withinMs }: HostExpectation): string {
  const moment = after === undefined ? "" : `after ${after} `;
  const parts = [
    ...(exit === undefined ? [] : [`exit ${exit.join(" or ")}`]),
    ...(output === undefined ? [] : [`output ${output}`]),
  ];
  return `${moment}${host}: ${parts.join(", ")}${withinMs === undefined ? "" : ` within ${withinMs} ms`}`;
}

function describeSessionExpectation(expectation: SessionExpectation): string {
  const { after, path, selected, nominatedWithinMs, restoredWithinMs } = expectation;
  const moment = after === undefined ? "" : `after ${after} `;
  const pair = selected === undefined ? "" : `: ${selected.join(" → ")}`;
  const withinMs = nominatedWithinMs ?? restoredWithinMs;
  const within = withinMs === undefined ? "" : ` within ${withinMs} ms`;
  return `${moment}${path ?? "any path"}${pair}${within}`;
}

/** The NATs and firewalls between two ends, as one line. */
function wayOf(topology: ResolvedTopology, from: string, to: string): string {
  const [out, back] = [middleboxesAbove(topology, from, to), middleboxesAbove(topology, to, from)];
  return [from, ...out, ...back.toReversed(), to].join(" — ");
}

/** NATs and firewalls between a node and its home agent, or its peer's if it has none, nearest first. */
function middleboxesAbove(topology: ResolvedTopology, name: string, peer: string): readonly string[] {
  const [node, other] = [name, peer].map((wanted) => topology.nodes.find((candidate) => candidate.name === wanted));
  const served = node !== undefined && "homeAgent" in node ? node : other;
  const homeAgent = topology.nodes.find(
    (candidate) => served !== undefined && "homeAgent" in served && candidate.name === served.homeAgent,
  );
  if (node === undefined || homeAgent?.role !== "home-agent") return [];
  const walks = homeAgentAddresses(topology, node, homeAgent).map((address) => walk(topology, node, address));
  return walks.find((middleboxes) => middleboxes !== undefined) ?? [];
}

function walk(topology: ResolvedTopology, start: ResolvedNode, destination: string): readonly string[] | undefined {
  const middleboxes: string[] = [];
  let at = start;
  while (!hasAddress(at, destination)) {
    const next = nextHop(topology, at, destination)?.to?.node;
    if (next === undefined || middleboxes.length > topology.nodes.length) return undefined;
    if (next.role === "router") middleboxes.push(`${next.name} (${describeMiddlebox(next)})`);
    at = next;
  }
  return middleboxes;
}
