/** The HTML report of a run: one self-contained file. */

import type { LabEvent, PairView } from "../../lab/lab-event.ts";
import { NAT_COLUMNS } from "../../topology/describe/behaviour-columns.ts";
import { describeProgram } from "../../topology/describe/describe-program.ts";
import { formatEndpoint } from "../../topology/model/address-text.ts";
import type { ResolvedTopology } from "../../topology/model/resolved.ts";
import { checksText } from "../checks-text.ts";
import { expectationLabel, expectedText, observedText, predictedText, subjectName } from "../expectation-text.ts";
import { flowLines, flowRows } from "../flow-rows.ts";
import { formatMs } from "../format-ms.ts";
import { hostEndText } from "../host-text.ts";
import { linkRows } from "../link-rows.ts";
import { outageRows } from "../outage-rows.ts";
import { routerRemarks, routerRows, wayInRows } from "../router-rows.ts";
import type { CandidateResult, HostResult, RunResult, SessionResult } from "../run-result.ts";
import { timeInRun } from "../run-time.ts";
import { formatCandidate } from "../table.ts";
import { answerOf, drawLadder, refusalOf } from "./ladder.ts";
import { html, Markup, table } from "./markup.ts";
import { STYLE } from "./style.ts";
import { drawTimeline } from "./timeline.ts";
import { drawTopology } from "./topology-picture.ts";

/** Renders `report.html`; `events` in chronological order. */
export function renderHtml(result: RunResult, events: readonly LabEvent[], topology: ResolvedTopology): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${result.topology}: ${result.verdict}</title><style>${new Markup(STYLE)}</style></head>
<body><main>
${headline(result)}
${result.error && html`<pre>${[result.error.message, result.error.hint].filter((line) => line !== undefined).join("\n→ ")}</pre>`}
${expectations(result)}
<h2>Topology</h2><div class="panel">${drawTopology(topology)}</div>
${result.sessions.map((session) => sessionPart(session, topology, events))}
${hosts(result)}
${flows(result)}
${happenings(result)}
<h2>Timeline</h2><div class="panel">${drawTimeline(result, events)}</div>
${middleboxes(result)}
${links(result)}
${captures(result)}
${environment(result)}
</main></body></html>
`.text;
}

function headline(result: RunResult): Markup {
  const facts = [result.runId, `runtime ${result.runtime}`, `seed ${result.seed}`, `in ${formatMs(result.durationMs)}`];
  return html`<header><div class="title"><h1>${result.topology}</h1>${badge(result.verdict)}</div>
<p>${result.summary}</p><div class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</div></header>`;
}

function badge(verdict: string): Markup {
  return html`<span class="badge ${verdict}">${verdict}</span>`;
}

function expectations(result: RunResult): Markup {
  const rows = result.expectations.map((expectation) => [
    badge(expectation.verdict),
    subjectName(expectation),
    expectationLabel(expectation),
    predictedText(expectation),
    expectedText(expectation),
    html`<b>${observedText(expectation)}</b>`,
    html`<code>${expectation.source}</code>`,
  ]);
  const header = ["verdict", "about", "expectation", "predicted", "expected", "observed", "from"];
  const why = result.predicted
    .filter(({ after }) => after === undefined)
    .map((entry) => html`<p class="faint">Predicted for ${entry.session}: ${entry.why}</p>`);
  return html`<h2>Predicted, expected, observed</h2>${rows.length > 0 ? table(header, rows) : html`<p>Nothing was expected.</p>`}${why}`;
}

function sessionPart(session: SessionResult, topology: ResolvedTopology, events: readonly LabEvent[]): Markup {
  const resolved = topology.sessions.find(({ name }) => name === session.name);
  const all = events.filter((entry) => isAbout(entry, session));
  const own = all.slice(0, MOST_EVENTS_SHOWN);
  const rest =
    all.length > own.length
      ? html`<p class="faint">The first ${own.length} of ${all.length} events are shown; all are in <a href="events.ndjson">events.ndjson</a>.</p>`
      : undefined;
  return html`<h2>Session ${session.from} → ${session.to}</h2>
<div class="figures">${figuresOf(session).map(([value, name]) => html`<div class="figure"><b>${value}</b><span>${name}</span></div>`)}</div>
${session.failure === undefined ? undefined : html`<p class="bad">${session.failure}</p>`}
${session.selected && html`<p>Selected: <code>${formatCandidate(session.selected.local)}</code> ↔ <code>${formatCandidate(session.selected.remote)}</code></p>`}
${rest}<h3>Messages</h3><div class="panel">${resolved && drawLadder(resolved, topology, own)}</div>
<h3>Candidates</h3>${candidateTable(session)}
<h3>Checks</h3>${checkTable(session, own)}`;
}

function hosts(result: RunResult): Markup | undefined {
  if (result.hosts.length === 0) return undefined;
  const at = (ms: number | undefined): string => (ms === undefined ? "–" : timeInRun(result, ms));
  const rows = result.hosts.map((host) => [
    host.name,
    html`<code>${describeProgram(host)}</code>`,
    at(host.startedAtMs),
    at(host.readyAtMs),
    at(host.endedAtMs),
    hostEndText(host),
  ]);
  const outputs = result.hosts.filter(({ lastLines }) => lastLines.length > 0).map(outputOf);
  return html`<h2>Hosts</h2>${table(["host", "program", "started", "ready", "ended", ""], rows)}${outputs}`;
}

function outputOf({ name, lastLines }: HostResult): Markup {
  return html`<h3>Last lines of <a href="logs/${name}.log">${name}</a></h3><pre>${lastLines.join("\n")}</pre>`;
}

/** More events of a session than anybody reads on a page. */
const MOST_EVENTS_SHOWN = 2000;

function isAbout(entry: LabEvent, { name, from, to }: SessionResult): boolean {
  if (entry.type === "traffic") return entry.session === name;
  return entry.type === "node" && (entry.node === from || entry.node === to);
}

function flows(result: RunResult): Markup | undefined {
  const seen = flowRows(result);
  return (
    seen &&
    html`<h2>Flows</h2>${table(seen.header, seen.rows)}${flowLines(result).map((line) => html`<p class="faint">${line}</p>`)}`
  );
}

/** What happened while data flowed, and its effect on every session. */
function happenings(result: RunResult): Markup | undefined {
  const rows = outageRows(result);
  if (rows === undefined) return undefined;
  const told = result.timeline.map(
    ({ event, text, atMs }) => html`<li><b>${event}</b>, at ${timeInRun(result, atMs)}: ${text}</li>`,
  );
  return html`<h2>What happened while data flowed</h2><ul>${told}</ul>${table(rows.header, rows.rows)}`;
}

function figuresOf(session: SessionResult): readonly (readonly [string, string])[] {
  const ms = (value: number | undefined): string => (value === undefined ? "–" : formatMs(value));
  return [
    [session.path, "path of the data"],
    [ms(session.nominatedAfterMs), "from offer to nomination"],
    [ms(session.settledAfterMs), "until both ends use the path"],
    [checksText(session), "checks sent"],
    [ms(session.roundTripMs), "data round trip"],
    [ms(session.pingBeforeIce?.roundTripMs), "round trip before ICE"],
    [String(session.lost), "packets lost"],
  ];
}

function candidateTable(session: SessionResult): Markup {
  const rows = [
    ...session.candidates.map((candidate) => candidateRow(session.from, candidate, session.selected?.local)),
    ...session.peerCandidates.map((candidate) => candidateRow(session.to, candidate, session.selected?.remote)),
  ];
  return table(["node", "type", "address", "priority", ""], rows);
}

function candidateRow(
  node: string,
  candidate: CandidateResult,
  selected: CandidateResult | undefined,
): readonly (Markup | string)[] {
  const isSelected = selected?.address === candidate.address && selected.port === candidate.port;
  const address = formatCandidate(candidate).slice(candidate.type.length + 1);
  return [
    node,
    candidate.type,
    html`<code>${address}</code>`,
    String(candidate.priority),
    isSelected ? html`<span class="badge pass">selected</span>` : "",
  ];
}

function checkTable({ from, to }: SessionResult, events: readonly LabEvent[]): Markup {
  const first = events.find((entry) => entry.type === "node" && entry.event.type === "offer-sent")?.at ?? 0;
  const rows = events.flatMap((entry, i) => {
    if (entry.type !== "node" || entry.event.type !== "check-sent" || ![from, to].includes(entry.node)) return [];
    const later = events.slice(i + 1);
    const outcome = outcomeOf(answerOf(entry.node, entry.event, later), refusalOf(entry.node, entry.event, later));
    const after = html`${(entry.at - first).toFixed(1)} ms`;
    return [[after, entry.node, entry.event.kind, html`<code>${pairText(entry.event.pair)}</code>`, outcome]];
  });
  return table(["after the offer", "node", "kind", "pair", "outcome"], rows);
}

function outcomeOf(answer: ReturnType<typeof answerOf>, refusal: ReturnType<typeof refusalOf>): Markup {
  if (answer === undefined && refusal !== undefined)
    return html`<span class="bad">refused by ${refusal.by}: ${refusal.reason}</span>`;
  if (answer === undefined) return html`<span class="faint">not answered by the end</span>`;
  if (answer.type === "check-failed") return html`<span class="bad">failed: ${answer.reason}</span>`;
  return html`answered in ${formatMs(answer.rttMs)}, mapped to <code>${formatEndpoint(answer.mapped)}</code>`;
}

function pairText({ local, remote }: PairView): string {
  return `${local.type} ${formatEndpoint(local.address)} → ${remote.type} ${formatEndpoint(remote.address)}`;
}

function middleboxes({ routers }: RunResult): Markup | undefined {
  if (routers.length === 0) return undefined;
  const seen = [routerRows(routers), wayInRows(routers)].filter((each) => each !== undefined);
  const rows = routers.map(({ name, declared, observed, agrees }) => [
    agrees === undefined ? html`<span class="faint">not asked</span>` : badge(agrees ? "pass" : "fail"),
    name,
    declared === undefined ? "no" : "yes",
    ...NAT_COLUMNS.map(({ cell }) => cell(declared ?? {})),
    observed === undefined ? "-" : `${observed.mapping ?? "-"} / ${observed.filtering ?? "-"}`,
  ]);
  const header = ["", "router", "translates", ...NAT_COLUMNS.map(({ title }) => title), "observed mapping / filtering"];
  return html`<h2>NATs and firewalls</h2>${table(header, rows)}
${seen.length > 0 ? html`<h3>What probes saw</h3>` : undefined}
${seen.map(({ header: columns, rows: lines }) =>
  table(
    columns,
    lines.map(([verdict = "", ...cells]) => [badge(verdict), ...cells]),
  ),
)}
${routerRemarks(routers).map((line) => html`<p class="faint">${line}</p>`)}
<p>Exactly what was loaded is in <a href="rules/"><code>rules/</code></a>.</p>`;
}

function links(result: RunResult): Markup | undefined {
  const seen = linkRows(result);
  return seen && html`<h2>Links</h2>${table(seen.header, seen.rows)}`;
}

function captures({ captures: segments }: RunResult): Markup {
  const rows = segments.map(({ segment, packets, octets, droppedByKernel }) => [
    segment,
    String(packets),
    String(octets),
    String(droppedByKernel),
  ]);
  return html`<h2>Captures</h2>${
    rows.length === 0
      ? html`<p>No packets were captured.</p>`
      : html`${table(["segment", "packets", "octets", "dropped by the kernel"], rows)}
<p><a href="capture.pcapng"><code>capture.pcapng</code></a> has one interface for each segment.</p>`
  }`;
}

function environment({ environment: facts, leftovers }: RunResult): Markup {
  const { kernel, engine, node, capabilities } = facts;
  const rows: Readonly<Record<string, string | boolean>> = {
    kernel,
    engine: engine ?? "none",
    "Node.js": node,
    ...capabilities,
  };
  return html`<h2>Machine</h2>${table(
    ["", ""],
    Object.entries(rows).map(([key, value]) => [key, String(value)]),
  )}
${leftovers.map((line) => html`<p class="bad">${line}</p>`)}
<p class="faint">Also here: <a href="result.json">result.json</a>, <a href="events.ndjson">events.ndjson</a>, <a href="junit.xml">junit.xml</a>, <a href="topology.yaml">topology.yaml</a>, <a href="logs/">logs/</a></p>`;
}
