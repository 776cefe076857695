/**
 * `npm run bench [-- <name>…] [--rounds n] [--against <checkout>]`: measures every comparison, or those named, and
 * prints a table. Exit code 1 if a limit is not met or a bench fails.
 */

import { parseArgs } from "node:util";
import { cliStart } from "./cli-start.ts";
import { dockerRun } from "./docker-run.ts";
import { labsAtOnce } from "./labs-at-once.ts";
import { latency, latencyTail } from "./latency.ts";
import { matrixFresh, matrixKept } from "./matrix.ts";
import { memory } from "./memory.ts";
import { netnsRun } from "./netns-run.ts";
import { nomination } from "./nomination.ts";
import { formatFailure, formatRow, HEADER } from "./table.ts";
import { throughput } from "./throughput.ts";
import { judge } from "./verdict.ts";

const BENCHES = [
  ...[netnsRun, cliStart, dockerRun, nomination, throughput],
  ...[matrixFresh, matrixKept, labsAtOnce],
  ...[latency, latencyTail, memory],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, against: { type: "string" } },
});
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(", ")}; there are ${BENCHES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

print(HEADER);
for (const { name, reach, measure } of BENCHES) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  try {
    const { against, rounds } = values;
    const series = await measure({ rounds: Number(rounds), ...(against === undefined ? {} : { against }) });
    const verdict = judge(reach, series);
    if (verdict.type === "missed") process.exitCode = 1;
    print(formatRow(name, verdict, series));
  } catch (error) {
    process.exitCode = 1;
    print(formatFailure(name, error instanceof Error ? error.message : String(error)));
  }
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}
