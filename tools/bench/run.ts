/** `npm run bench [-- <name>…] [--rounds n]`: measures every claim, or those named, and prints a table. */

import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { cliStart } from "./cli-start.ts";
import { dockerRun } from "./docker-run.ts";
import { labsAtOnce } from "./labs-at-once.ts";
import { latency, latencyTail } from "./latency.ts";
import { matrixFresh, matrixKept } from "./matrix.ts";
import { median, quantile, ratios, type Series } from "./measure.ts";
import { memory } from "./memory.ts";
import { netnsRun } from "./netns-run.ts";
import { nomination } from "./nomination.ts";
import { throughput } from "./throughput.ts";

const BENCHES: readonly Bench[] = [
  ...[cliStart, netnsRun, dockerRun],
  ...[throughput, latency, latencyTail, memory, nomination],
  ...[matrixFresh, matrixKept, labsAtOnce],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" } },
});

for (const bench of BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`\n${bench.name}: ${bench.claim}`);
  const series = await bench.measure(Number(values.rounds));
  for (const one of series) console.log(`  ${describe(one)}`);
  console.log(`  ${describeReach(bench, series)}`);
}

function describe({ name, unit, values: figures, missing }: Series): string {
  if (missing !== undefined) return `${name.padEnd(42)} not measured: ${missing}`;
  const range = `${format(Math.min(...figures))} to ${format(Math.max(...figures))}, ${figures.length} values`;
  return `${name.padEnd(42)} median ${format(median(figures))} ${unit} (${range})`;
}

function describeReach({ reach }: Bench, [product, peer]: readonly Series[]): string {
  if (product === undefined) throw new Error("a bench measures something");
  const { most = Number.POSITIVE_INFINITY, least = 0, share = 0.5 } = reach;
  const label = (reach.of === "ratio" ? "ratio, pair by pair" : "figure that counts").padEnd(42);
  const figures = reach.of === "value" ? product.values : peer === undefined ? [] : ratios(product, peer);
  const figure = share === 0.5 ? median(figures) : quantile(figures, share);
  if (Number.isNaN(figure)) return `${label} not known`;
  const limit = reach.most === undefined ? `at least ${least}` : `at most ${most}`;
  const verdict = figure <= most && figure >= least ? "reached" : "NOT reached";
  return `${label} ${format(figure)} (reach: ${limit}): ${verdict}`;
}

function format(figure: number): string {
  return figure.toPrecision(3).includes("e") ? figure.toFixed(0) : figure.toPrecision(3);
}
