/** The flows of a run as table rows and lines: the same for terminal and page. */

import { formatEndpoint } from "../topology/model/address-text.ts";
import { formatMs } from "./format-ms.ts";
import type { FlowResult, RunResult } from "./run-result.ts";
import type { TextTable } from "./text-table.ts";

type Figures = FlowResult["effects"][number];

/** A header and one row for each flow, and each of its events; undefined for a run without flows. */
export function flowRows({ flows }: RunResult): TextTable | undefined {
  if (flows.length === 0) return undefined;
  const header = ["flow", "after", "path", "on it after", "longest silence", "packets lost", "octets", "round trip"];
  const rows = flows.flatMap((flow) => [
    [nameOf(flow), "-", ...figuresCells(flow, octetsOf(flow))],
    ...flow.effects.map((effect) => [nameOf(flow), effect.event, ...figuresCells(effect, "-")]),
  ]);
  return { header, rows };
}

/** Addresses on the way, the prediction, and what else is to be said of a flow. */
export function flowLines({ flows }: RunResult): readonly string[] {
  return flows.flatMap((flow) => [
    ...flow.directions.flatMap(({ from, ways }) => ways.slice(0, 1).map((way) => wayText(from, way))),
    ...(flow.predicted === undefined
      ? []
      : [`${flow.name}: a direct path is predicted as ${flow.predicted.direct}: ${flow.predicted.why}`]),
    ...(flow.surprise === undefined ? [] : [`${flow.name}: ${flow.surprise} than predicted`]),
    ...(flow.ambiguous === 0
      ? []
      : [`${flow.name}: ${flow.ambiguous} packets had equal content: time and order told them apart`]),
  ]);
}

function nameOf({ name, between, protocol }: FlowResult): string {
  return `${name} (${between.join(" ↔ ")}, ${protocol.toUpperCase()})`;
}

function octetsOf({ directions }: FlowResult): string {
  return directions.map(({ octets }) => octets).join(" + ");
}

function figuresCells(
  { path, relays, onPathAfterMs, outageMs, packetsLost, packetsSent, roundTripMs }: Omit<Figures, "event">,
  octets: string,
): readonly string[] {
  return [
    path === "relayed" ? `relayed by ${relays.join(", ")}` : path,
    onPathAfterMs === undefined ? "-" : formatMs(onPathAfterMs),
    packetsSent === 0 ? "-" : formatMs(outageMs),
    packetsSent === 0 ? "-" : `${packetsLost} of ${packetsSent}`,
    octets,
    roundTripMs === undefined ? "-" : formatMs(roundTripMs),
  ];
}

/** `alice: home 192.168.1.2:4000 → 198.18.0.5:5001, internet 198.18.0.4:5000 → 198.18.0.5:5001` */
function wayText(from: string, { segments }: FlowResult["directions"][number]["ways"][number]): string {
  const hops = segments.map(
    ({ segment, source, destination }) =>
      `${segment} ${formatEndpoint({ ip: source.address, port: source.port })} → ${formatEndpoint({ ip: destination.address, port: destination.port })}`,
  );
  return `${from}: ${hops.join(", ")}`;
}
