/** The phases of a run and the events of each node on one time axis. */

import type { LabEvent } from "../../lab/lab-event.ts";
import { formatMs } from "../format-ms.ts";
import { describeEvent } from "../progress.ts";
import type { RunResult } from "../run-result.ts";
import { html, type Markup } from "./markup.ts";

const LEFT = 130;
const WIDTH = 860;
const LANE_HEIGHT = 22;

interface Lane {
  readonly name: string;
  readonly bars: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** Draws phases and nodes from the start of the run to its last event. */
export function drawTimeline(result: RunResult, events: readonly LabEvent[]): Markup {
  // The first event is recorded once everything is loaded.
  const start = (events[0]?.at ?? 0) - (result.phasesMs["load"] ?? 0);
  const end = events.reduce((latest, { at }) => Math.max(latest, at), start + 1);
  const lanes = [...phaseLanes(start, result, events), ...nodeLanes(events)];
  const height = 34 + LANE_HEIGHT * lanes.length;
  const xOf = (at: number): number => LEFT + (WIDTH * (Math.min(Math.max(at, start), end) - start)) / (end - start);
  return html`<div class="scroll"><svg class="timeline" viewBox="0 0 ${LEFT + WIDTH + 20} ${height}" style="min-width:760px" role="img" aria-label="Timeline">
${gridLines(end - start).map(
  (ms) => html`<line class="grid" x1="${xOf(start + ms)}" y1="18" x2="${xOf(start + ms)}" y2="${height}"/>
<text class="time" x="${xOf(start + ms)}" y="12">${formatMs(ms)}</text>`,
)}
${lanes.map((lane, i) => drawLane(lane, 24 + LANE_HEIGHT * i, xOf))}</svg></div>`;
}

function drawLane({ name, bars, ticks }: Lane, y: number, xOf: (at: number) => number): Markup {
  const round = (value: number): string => value.toFixed(1);
  return html`<g><text class="lane" x="${LEFT - 10}" y="${y + 14}">${name}</text>
${bars.map(
  ({ from, to, label }) =>
    html`<rect class="phase" x="${round(xOf(from))}" y="${y + 3}" width="${round(Math.max(1.5, xOf(to) - xOf(from)))}" height="${LANE_HEIGHT - 6}" rx="2"><title>${label}</title></rect>`,
)}
${ticksByPlace(ticks, xOf).map(({ at, label }) => html`<rect class="tick" x="${round(xOf(at) - 1)}" y="${y + 4}" width="2.5" height="${LANE_HEIGHT - 8}"><title>${label}</title></rect>`)}</g>`;
}

/** One tick for all in the same place, with the first label: thousands would hide each other. */
function ticksByPlace(ticks: Lane["ticks"], xOf: (at: number) => number): Lane["ticks"] {
  const places = Map.groupBy(ticks, ({ at }) => Math.round(xOf(at)));
  return [...places.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    return [others.length === 0 ? first : { ...first, label: `${first.label}, and ${others.length} more` }];
  });
}

function phaseLanes(start: number, { phasesMs }: RunResult, events: readonly LabEvent[]): readonly Lane[] {
  const loadMs = phasesMs["load"] ?? 0;
  const load = { name: "load", from: start, to: start + loadMs, durationMs: loadMs };
  const ended = events.flatMap((entry) =>
    entry.type === "phase-ended"
      ? [{ name: entry.phase, from: entry.at - entry.durationMs, to: entry.at, durationMs: entry.durationMs }]
      : [],
  );
  return [load, ...ended].map(({ name, from, to, durationMs }) => ({
    name,
    bars: [{ from, to, label: `${name}: ${formatMs(durationMs)}` }],
    ticks: [],
  }));
}

function nodeLanes(events: readonly LabEvent[]): readonly Lane[] {
  const names = [...new Set(events.flatMap((entry) => (entry.type === "node-ready" ? [entry.node] : [])))].sort();
  const told = events.flatMap((entry) => nodesOf(entry).map((node) => ({ node, entry })));
  const ofNodes = Map.groupBy(told, ({ node }) => node);
  return names.map((name) => ({
    name,
    bars: [],
    ticks: (ofNodes.get(name) ?? []).flatMap(({ entry }) => {
      const label = entry.type === "node-ready" ? `${name}: ready` : describeEvent(entry);
      return label === undefined ? [] : [{ at: entry.at, label }];
    }),
  }));
}

/** The nodes that an event is about. */
function nodesOf(entry: LabEvent): readonly string[] {
  if ("nodes" in entry) return entry.type === "timeline" ? entry.nodes : [];
  return "node" in entry ? [entry.node] : [];
}

/** About eight grid lines at round milliseconds. */
function gridLines(spanMs: number): readonly number[] {
  const rough = spanMs / 8;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, i) => i * step);
}
