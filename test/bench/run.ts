/** `npm run bench [-- <name>…] [--rounds n]`: measures every claim, or those named, and prints a table. */

import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { cliStart } from "./cli-start.ts";
import { dockerRun } from "./docker-run.ts";
import { median, ratios, type Timing } from "./measure.ts";
import { netnsRun } from "./netns-run.ts";

const BENCHES: readonly Bench[] = [cliStart, netnsRun, dockerRun];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" } },
});

for (const bench of BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`\n${bench.name}: ${bench.claim}`);
  const timings = await bench.measure(Number(values.rounds));
  for (const timing of timings) console.log(`  ${describe(timing)}`);
  console.log(`  ${describeReach(bench, timings)}`);
}

function describe({ name, seconds }: Timing): string {
  const figures = `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}, ${seconds.length} runs)`;
  return `${name.padEnd(34)} median ${figures}`;
}

function describeReach({ reach }: Bench, [product, other]: readonly Timing[]): string {
  if (product === undefined || other === undefined) throw new Error("a bench measures two");
  const figure = reach.kind === "ratio" ? median(ratios(product, other)) : median(product.seconds);
  const label = reach.kind === "ratio" ? "ratio, pair by pair" : "seconds";
  const verdict = figure <= reach.most ? "reached" : "NOT reached";
  return `${label.padEnd(34)} median ${figure.toFixed(2)} (reach ${reach.most}): ${verdict}`;
}
