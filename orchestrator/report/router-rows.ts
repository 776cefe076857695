/** The observations of probes, as table rows. */

import { OBSERVED_BEHAVIOURS } from "@testbed/agent/control";
import { type BehaviourColumn, behaviourColumns } from "../topology/describe/behaviour-columns.ts";
import type { ProbeResult, RouterResult, WayInResult } from "./run-result.ts";
import { counted } from "./text-table.ts";

/**
 * A header and one row per probe; a cell is the declared value if that was observed, otherwise `…, observed …`.
 * Outside addresses have a column if any node has several, and lifetimes if any were measured. Undefined without probes.
 */
export function routerRows(
  routers: readonly RouterResult[],
): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } | undefined {
  const probes = routers.flatMap((router) => router.probes);
  if (probes.length === 0) return undefined;
  const header = ["verdict", "router", "seen from", ...COLUMNS.map(({ title }) => title), "ports"];
  const further = FURTHER.filter(({ isShown }) => probes.some(isShown));
  return {
    header: [...header, ...further.map(({ title }) => title)],
    rows: probes.map((probe) => [...probeRow(probe), ...further.map(({ cell }) => cell(probe))]),
  };
}

/** A header and one row per forward or pinhole that was verified; undefined if none was. */
export function wayInRows(routers: readonly RouterResult[]): ReturnType<typeof routerRows> {
  const rows = routers.flatMap(({ name, inbound }) => inbound.map((way) => wayInRow(name, way)));
  if (rows.length === 0) return undefined;
  return { header: ["verdict", "router", "sent by", "way in", "to", "port beside it"], rows };
}

function wayInRow(middlebox: string, way: WayInResult): readonly string[] {
  const { kind, protocol, from, destination, target, ipVersion, differences } = way;
  const { reachedPort, closedPort, closedReachedPort } = way;
  const observed =
    reachedPort === target.port
      ? ""
      : `, observed ${reachedPort === undefined ? "nothing there" : `port ${reachedPort}`}`;
  const beside = closedReachedPort === undefined ? "closed" : `closed, observed open to port ${closedReachedPort}`;
  return [
    differences.length === 0 ? "pass" : "fail",
    middlebox,
    `${from}, IPv${ipVersion}`,
    `${kind}, ${protocol.toUpperCase()} ${destination.port}`,
    `${target.node}:${target.port}${observed}`,
    closedPort === undefined ? "-" : `${closedPort} ${beside}`,
  ];
}

/** What no probe could observe, and what routers dropped because of a limit, one line each. */
export function routerRemarks(routers: readonly RouterResult[]): readonly string[] {
  return routers.flatMap(({ name, notProbed, dropped = {} }) => [
    ...notProbed.map((reason) => `${name} not probed from ${reason}`),
    ...Object.entries(dropped)
      .filter(([, packets]) => packets > 0)
      .map(([limit, packets]) => `${name} dropped ${counted(packets, "packet")} over its \`${limit}\``),
  ]);
}

function probeRow(probe: ProbeResult): readonly string[] {
  const { expected, observed, through, node, lan, ipVersion, differences } = probe;
  const cell = (show: (observation: ProbeResult["observed"]) => string): string => {
    const [declared, seen] = [show(expected), show(observed)];
    return declared === seen ? declared : `${declared}, observed ${seen}`;
  };
  return [
    differences.length === 0 ? "pass" : "fail",
    through.join(" inside of "),
    `${node} on ${lan}, IPv${ipVersion}`,
    ...COLUMNS.map((column) => cell(column.cell)),
    portsCell(probe),
  ];
}

/** All observed behaviours except those of ports, which share a cell. */
const { mapping, portPreservation, parityPreservation, ...OTHERS } = OBSERVED_BEHAVIOURS;
const COLUMNS: readonly BehaviourColumn<ProbeResult["observed"]>[] = [
  { title: "mapping", cell: mappingCell },
  ...behaviourColumns(OTHERS, {}),
];

function mappingCell({ type, mapping }: ProbeResult["observed"]): string {
  if (type === "udp-blocked") return "no UDP at all";
  return type === "no-nat" ? "no translation" : (mapping ?? "cannot be told");
}

/** Of several hosts that probe from one port, one keeps it: no single probe shows a difference there. */
function portsCell({ expected, observed, differences }: ProbeResult): string {
  const drawn = ({ parityPreservation }: ProbeResult["observed"]): string =>
    expected.parityPreservation === true && parityPreservation === true ? "drawn, parity kept" : "drawn";
  const text = (seen: ProbeResult["observed"]): string =>
    seen.portPreservation === undefined ? "-" : seen.portPreservation ? "kept" : drawn(seen);
  const [declared, seen] = [text(expected), text(observed)];
  return declared === seen || differences.length === 0 ? seen : `${declared}, observed ${seen}`;
}

/** Columns that only some runs have. */
const FURTHER: readonly {
  readonly title: string;
  readonly isShown: (probe: ProbeResult) => boolean;
  readonly cell: (probe: ProbeResult) => string;
}[] = [
  {
    title: "addresses",
    isShown: ({ expected, observed }) => (expected.furtherAddresses ?? observed.furtherAddresses) !== undefined,
    cell: addressesCell,
  },
  { title: "UDP lifetime", isShown: ({ lifetime }) => lifetime !== undefined, cell: lifetimeCell },
];

function addressesCell({ expected, observed }: ProbeResult): string {
  const text = ({ mapped, furtherAddresses = [] }: ProbeResult["observed"]): string =>
    mapped === undefined ? "-" : [mapped.address, ...furtherAddresses].join(" ");
  const [declared, seen] = [text(expected), text(observed)];
  return declared === seen ? declared : `${declared}, observed ${seen}`;
}

function lifetimeCell({ lifetime }: ProbeResult): string {
  if (lifetime === undefined) return "not measured";
  const { declaredSec, aliveAfterMs, goneAfterMs, outboundRefresh, inboundRefresh } = lifetime;
  const ways = [...(outboundRefresh === true ? ["outbound"] : []), ...(inboundRefresh === true ? ["inbound"] : [])];
  const after = (ms: number | undefined): string => (ms === undefined ? "never" : `${ms / 1000} s`);
  return `${declaredSec} s: alive after ${after(aliveAfterMs)}, gone after ${after(goneAfterMs)}, refreshed ${ways.join(" and ") || "by nothing"}`;
}
