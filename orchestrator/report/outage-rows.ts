/** The effects of a run's timeline events on its sessions, as table rows. */

import { formatMs } from "./format-ms.ts";
import type { OutageResult, RunResult } from "./run-result.ts";
import type { TextTable } from "./text-table.ts";

/** A header and one row for each session after each event; undefined for a run without events. */
export function outageRows({ sessions }: RunResult): TextTable | undefined {
  const rows = sessions.flatMap(({ from, to, outages }) =>
    outages.map((outage) => [outage.event, `${from} → ${to}`, ...describeOutage(outage)]),
  );
  if (rows.length === 0) return undefined;
  return {
    header: ["after", "session", "path", "data on it after", "longest silence", "packets lost", "round trip"],
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
  ];
}
