/** The effects of a run's timeline events on its sessions, as table rows. */

import { formatMs } from "./format-ms.ts";
import type { OutageResult, RunResult } from "./run-result.ts";
import type { TextTable } from "./text-table.ts";

type Disagreement = OutageResult["disagreements"][number];

/** A header and one row for each session after each event; undefined for a run without events. */
export function outageRows({ sessions }: RunResult): TextTable | undefined {
  const rows = sessions.flatMap(({ from, to, outages }) =>
    outages.map((outage) => [outage.event, `${from} → ${to}`, ...describeOutage(outage)]),
  );
  if (rows.length === 0) return undefined;
  return {
    header: [
      "after",
      "session",
      "path",
      "data on it after",
      "longest silence",
      "packets lost",
      "round trip",
      "in the captures",
    ],
    rows,
  };
}

function describeOutage(outage: OutageResult): readonly string[] {
  const { path, restoredAfterMs, ms, packetsLost, packetsSent, roundTripMs } = outage;
  const hasData = packetsSent > 0;
  return [
    path,
    restoredAfterMs === undefined ? "-" : formatMs(restoredAfterMs),
    hasData ? formatMs(ms) : "-",
    hasData ? `${packetsLost} of ${packetsSent}` : "-",
    roundTripMs === undefined ? "-" : formatMs(roundTripMs),
    capturedText(outage),
  ];
}

/** `the same`, or what the captures show otherwise than agents tell. */
function capturedText({ captured, disagreements }: OutageResult): string {
  if (captured === undefined) return "-";
  if (disagreements.length === 0) return "the same";
  return disagreements.map(({ figure, captures }) => `${FIGURES[figure]} ${valueText(figure, captures)}`).join(", ");
}

const FIGURES: Readonly<Record<Disagreement["figure"], string>> = {
  path: "path",
  packetsSent: "packets sent",
  packetsLost: "packets lost",
  reordered: "reordered",
  ms: "longest silence",
  restoredAfterMs: "data on its path after",
  homeAgentsMs: "on the home agents' path for",
};

function valueText(figure: Disagreement["figure"], value: Disagreement["captures"]): string {
  if (typeof value !== "number") return value ?? "never";
  return figure === "ms" || figure.endsWith("Ms") ? formatMs(value) : String(value);
}
