/** `npm run bench [-- <name>…] [--rounds n]`: measures every claim, or those named, and prints a table. */

import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { dockerRun } from "./docker-run.ts";
import { median, ratios, type Timing } from "./measure.ts";

const BENCHES: readonly Bench[] = [dockerRun];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" } },
});

for (const bench of BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`\n${bench.name}: ${bench.claim}`);
  const timings = await bench.measure(Number(values.rounds));
  for (const timing of timings) console.log(`  ${describe(timing)}`);
  console.log(`  ${describeRatio(bench, timings)}`);
}

function describe({ name, seconds }: Timing): string {
  const figures = `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}, ${seconds.length} runs)`;
  return `${name.padEnd(34)} median ${figures}`;
}

function describeRatio({ reach }: Bench, [product, peer]: readonly Timing[]): string {
  if (product === undefined || peer === undefined) throw new Error("a bench compares two");
  const ratio = median(ratios(product, peer));
  return `${"ratio".padEnd(34)} median ${ratio.toFixed(2)} (reach ${reach}): ${ratio <= reach ? "reached" : "NOT reached"}`;
}
