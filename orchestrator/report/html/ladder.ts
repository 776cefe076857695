/**
 * Ladder diagram of a session's messages between its two ends and their home agents, one row each, in chronological
 * order.
 */

import type { LabEvent, NodeEvent, PairView } from "../../lab/lab-event.ts";
import type { ResolvedNode, ResolvedSession, ResolvedTopology } from "../../topology/model/resolved.ts";
import { isSessionEnd, peerAddressOf } from "../../topology/model/session-end.ts";
import { formatMs } from "../format-ms.ts";
import { counted } from "../text-table.ts";
import { html, type Markup } from "./markup.ts";

/** One row: an arrow between two nodes, or a note at one. */
export interface LadderRow {
  readonly at: number;
  readonly from: string;
  /** Absent for a note. */
  readonly to?: string;
  readonly label: string;
  readonly kind: "signalling" | "check" | "lost" | "nomination" | "data" | "remark";
  /** Whether the message passes through the home agents. */
  readonly isRelayed: boolean;
}

const COLUMN = { first: 170, step: 200 } as const;
const ROW_HEIGHT = 26;
const HEAD_HEIGHT = 44;

/** Draws the ladder of one session; empty if nothing was sent. */
export function drawLadder(session: ResolvedSession, topology: ResolvedTopology, events: readonly LabEvent[]): Markup {
  const rows = ladderRows(session, topology.nodes, events);
  const columns = ladderColumns(session, topology.nodes);
  const start = rows[0]?.at;
  if (start === undefined) return html`<p>No message was sent.</p>`;
  const xOf = (name: string): number => COLUMN.first + COLUMN.step * Math.max(0, columns.indexOf(name));
  const height = HEAD_HEIGHT + ROW_HEIGHT * rows.length + 12;
  const width = xOf(columns.at(-1) ?? "") + 210;
  return html`<div class="scroll"><svg class="ladder" viewBox="0 0 ${width} ${height}" style="min-width:${width}px;max-width:${width}px" role="img" aria-label="Messages of ${session.name}">
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker></defs>
${columns.map(
  (name) => html`<line class="life" x1="${xOf(name)}" y1="${HEAD_HEIGHT - 12}" x2="${xOf(name)}" y2="${height}"/>
<text class="head" x="${xOf(name)}" y="22">${name}</text>`,
)}
${rows.map((row, i) => drawRow(row, HEAD_HEIGHT + ROW_HEIGHT * (i + 0.7), start, xOf, columns))}</svg></div>`;
}

function drawRow(
  row: LadderRow,
  y: number,
  start: number,
  xOf: (name: string) => number,
  columns: readonly string[],
): Markup {
  const time = html`<text class="time" x="84" y="${y + 4}">${(row.at - start).toFixed(1)} ms</text>`;
  if (row.to === undefined)
    return html`${time}<g class="remark"><circle cx="${xOf(row.from)}" cy="${y}" r="4"/><text x="${xOf(row.from) + 10}" y="${y + 4}">${row.label}</text></g>`;
  const [x1, x2] = [xOf(row.from), xOf(row.to)];
  const via = row.isRelayed ? columns.filter((name) => between(xOf(name), x1, x2)) : [];
  return html`${time}<g class="arrow ${row.kind}"><line x1="${x1}" y1="${y}" x2="${x2}" y2="${y}" marker-end="url(#head)"/>
${via.map((name) => html`<circle cx="${xOf(name)}" cy="${y}" r="3.5"/>`)}
<text x="${(x1 + x2) / 2}" y="${y - 5}">${row.label}</text></g>`;
}

function between(x: number, a: number, b: number): boolean {
  return x > Math.min(a, b) && x < Math.max(a, b);
}

/** The two ends on the outside, their home agents between them. */
function ladderColumns({ from, to }: ResolvedSession, nodes: readonly ResolvedNode[]): readonly string[] {
  return [...new Set([from, homeAgentOf(from, nodes), homeAgentOf(to, nodes), to])].filter(
    (name) => name !== undefined,
  );
}

function homeAgentOf(name: string, nodes: readonly ResolvedNode[]): string | undefined {
  const node = nodes.find((entry) => entry.name === name);
  return node !== undefined && "homeAgent" in node ? node.homeAgent : undefined;
}

/** The rows for the events of a session. */
export function ladderRows(
  session: ResolvedSession,
  nodes: readonly ResolvedNode[],
  events: readonly LabEvent[],
): readonly LadderRow[] {
  const homes = new Map(nodes.filter(isSessionEnd).map((node) => [node.name, peerAddressOf(node)]));
  const peerOf = (node: string): string | undefined =>
    node === session.from ? session.to : node === session.to ? session.from : undefined;
  return events.flatMap((entry, i): LadderRow[] => {
    if (entry.type === "traffic" && entry.session === session.name) return [trafficRow(entry, session)];
    if (entry.type !== "node") return [];
    const { node, event, at } = entry;
    const peer = peerOf(node);
    if (peer === undefined) return [];
    const homeAgent = homeAgentOf(node, nodes);
    if (!("peer" in event)) return homeAgent === undefined ? [] : registrationRow(at, node, homeAgent, event);
    if (event.peer !== homes.get(peer)) return [];
    return sessionRow({ at, node, peer, event, later: events.slice(i + 1) });
  });
}

function registrationRow(at: number, node: string, homeAgent: string, event: NodeEvent): LadderRow[] {
  const common = { at, kind: "signalling", isRelayed: false } as const;
  switch (event.type) {
    case "registration-sent":
      return [{ ...common, from: node, to: homeAgent, label: "BU, home registration" }];
    case "registered":
      return [{ ...common, from: homeAgent, to: node, label: event.natDetected ? "BA, NAT detected" : "BA" }];
    default:
      return [];
  }
}

interface SessionMoment {
  readonly at: number;
  readonly node: string;
  readonly peer: string;
  readonly event: NodeEvent;
  readonly later: readonly LabEvent[];
}

function sessionRow({ at, node, peer, event, later }: SessionMoment): LadderRow[] {
  const signalling = { at, from: node, to: peer, kind: "signalling", isRelayed: true } as const;
  const remark = { at, from: node, kind: "remark", isRelayed: false } as const;
  switch (event.type) {
    case "offer-sent":
      return [{ ...signalling, label: `HoTI, CoTI-ICE: offer of ${counted(event.candidates.length, "candidate")}` }];
    case "offer-requested":
      return [{ ...signalling, label: "BRR: wants an offer" }];
    case "answer-sent":
      return [{ ...signalling, label: `HoT, CoT-ICE: answer of ${counted(event.candidates.length, "candidate")}` }];
    case "check-sent":
      return [checkRow(at, node, peer, event, later)];
    case "binding-update-sent":
      return [{ ...signalling, isRelayed: false, label: `BU for ${event.careOf}` }];
    case "binding-accepted":
      return [{ ...signalling, from: peer, to: node, isRelayed: false, label: `BA, ${event.lifetimeSec} s` }];
    case "nominated":
      return [{ ...remark, label: `nominated ${pairTypes(event.pair)}` }];
    case "session-failed":
      return [{ ...remark, label: `failed: ${event.reason}` }];
    case "path":
      return [{ ...remark, label: event.path === "direct" ? "data directly" : "data through the home agents" }];
    default:
      return [];
  }
}

function checkRow(
  at: number,
  node: string,
  peer: string,
  event: Extract<NodeEvent, { type: "check-sent" }>,
  later: readonly LabEvent[],
): LadderRow {
  const answer = answerOf(node, event, later);
  const refusal = refusalOf(node, event, later);
  const silence = refusal === undefined ? "no answer" : `refused by ${refusal.by}`;
  const outcome = answer?.type === "check-succeeded" ? formatMs(answer.rttMs) : silence;
  const kind = answer?.type !== "check-succeeded" ? "lost" : event.kind === "nominating" ? "nomination" : "check";
  const isRelayed = event.pair.local.type === "relayed" || event.pair.remote.type === "relayed";
  const name = event.kind === "nominating" ? "USE-CANDIDATE" : `${event.kind} check`;
  return { at, from: node, to: peer, kind, isRelayed, label: `${name} ${pairTypes(event.pair)}: ${outcome}` };
}

/** The answer to a check: the next one for the same pair at the same node. */
export function answerOf(
  node: string,
  check: CheckSent,
  later: readonly LabEvent[],
): Extract<NodeEvent, { type: "check-succeeded" | "check-failed" }> | undefined {
  return nextOfPair(["check-succeeded", "check-failed"], node, check, later);
}

/** The ICMP refusal of a check, if one came before the pair was checked again. */
export function refusalOf(
  node: string,
  check: CheckSent,
  later: readonly LabEvent[],
): Extract<NodeEvent, { type: "check-refused" }> | undefined {
  const next = nextOfPair(["check-refused", "check-sent"], node, check, later);
  return next?.type === "check-refused" ? next : undefined;
}

type CheckSent = Extract<NodeEvent, { type: "check-sent" }>;
type CheckEvent = Extract<NodeEvent, { type: "check-sent" | "check-succeeded" | "check-failed" | "check-refused" }>;

/** The next event of these types for a check's pair at its node. */
function nextOfPair<Type extends CheckEvent["type"]>(
  types: readonly Type[],
  node: string,
  { pair, peer }: CheckSent,
  later: readonly LabEvent[],
): Extract<CheckEvent, { type: Type }> | undefined {
  const isWanted = (event: NodeEvent): event is Extract<CheckEvent, { type: Type }> =>
    types.some((type) => type === event.type);
  for (const entry of later) {
    if (entry.type !== "node" || entry.node !== node || !isWanted(entry.event)) continue;
    if (entry.event.peer === peer && pairKey(entry.event.pair) === pairKey(pair)) return entry.event;
  }
  return undefined;
}

function pairKey({ local, remote }: PairView): string {
  return [local, remote].map(({ address }) => `${address.ip} ${address.port}`).join();
}

function trafficRow(entry: Extract<LabEvent, { type: "traffic" }>, { from, to }: ResolvedSession): LadderRow {
  const { sent, received } = entry.result;
  const isRelayed = entry.moment === "before-ice";
  return { at: entry.at, from, to, kind: "data", isRelayed, label: `${entry.kind}: ${received} of ${sent}` };
}

/** `host → srflx`, the abbreviations of candidate lines (RFC 8839 section 5.1). */
function pairTypes({ local, remote }: PairView): string {
  return `${SHORT[local.type]} → ${SHORT[remote.type]}`;
}

const SHORT = { host: "host", "server-reflexive": "srflx", "peer-reflexive": "prflx", relayed: "relay" } as const;
