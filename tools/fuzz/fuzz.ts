/**
 * Fuzzes every decoder and every node machine of the agent.
 *
 *     node tools/fuzz/fuzz.ts [--inputs N | --seconds N] [--seed N] [--target name] [--keep]
 *
 * The same seed and number of inputs produce the same octets. An input that violates an invariant is written to
 * `test/vectors/corpus/crashes` and makes the exit code 1. `--keep` replaces the committed corpus with this run's. The
 * fuzzer runs in a separate thread, so that an input that hangs is detected too.
 */

import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { allTargets } from "./all-targets.ts";
import { type Campaign, createCampaign, type Finding } from "./campaign.ts";
import { readCorpus, writeCorpus, writeCrash } from "./corpus.ts";
import { CurrentInput } from "./current-input.ts";
import type { FuzzTarget } from "./target.ts";

interface Options {
  readonly inputs: number;
  readonly seconds: number;
  readonly seed: number;
  readonly target: string | undefined;
  readonly keep: boolean;
}

/** The thread's message when it is done. */
interface Summary {
  readonly lines: readonly string[];
  readonly isClean: boolean;
}

/** Inputs between two checks of the clock. */
const BATCH = 10_000;
const WATCH_EVERY_MS = 1000;
/** An input that takes longer than this is considered hung. */
const HANG_AFTER_MS = 30_000;

if (isMainThread) watch(parseOptions(process.argv.slice(2)));
else work(workerData as { options: Options; memory: SharedArrayBuffer });

function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      target: { type: "string" },
      keep: { type: "boolean" },
    },
  });
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  const inputs = Number(values.inputs ?? (values.seconds === undefined ? 1_000_000 : Infinity));
  const seed = Number(values.seed ?? Date.now() % 0x7fff_ffff);
  if ([seconds, inputs, seed].some(Number.isNaN)) throw new Error("--inputs, --seconds and --seed are numbers");
  return { inputs, seconds, seed, target: values.target, keep: values.keep === true };
}

/** Starts the thread, prints its output, and stops it when one input takes too long. */
function watch(options: Options): void {
  console.log(`seed ${options.seed}`);
  const current = new CurrentInput();
  const worker = new Worker(import.meta.filename, { workerData: { options, memory: current.memory } });
  let seen = -1;
  let seenAt = Date.now();
  const timer = setInterval(() => {
    const { count } = current;
    if (count !== seen) {
      seen = count;
      seenAt = Date.now();
    } else if (count > 0 && Date.now() - seenAt > HANG_AFTER_MS) {
      const { targetIndex, input } = current.read();
      const target = allTargets()[targetIndex]?.name ?? "unknown";
      console.log(`${target}: no end after ${HANG_AFTER_MS} ms: ${writeCrash(target, `hang-${options.seed}`, input)}`);
      process.exit(1);
    }
  }, WATCH_EVERY_MS);
  worker.on("message", ({ lines, isClean }: Summary) => {
    clearInterval(timer);
    for (const line of lines) console.log(line);
    process.exitCode = isClean ? 0 : 1;
  });
}

function work({ options, memory }: { readonly options: Options; readonly memory: SharedArrayBuffer }): void {
  const all = allTargets();
  const targets = all
    .filter(({ name }) => options.target === undefined || name === options.target)
    .map((target) => ({ ...target, seeds: [...target.seeds, ...readCorpus(target.name)] }));
  if (targets.length === 0) throw new Error(`no such target; there are ${all.map(({ name }) => name).join(", ")}`);
  const campaign = createCampaign(targets, options.seed);
  const current = new CurrentInput(memory);
  const indexOf = new Map(all.map(({ name }, i) => [name, i]));
  const onInput = ({ name }: FuzzTarget, input: Uint8Array): void => current.write(indexOf.get(name) ?? 0, input);

  const startedAt = performance.now();
  const elapsedSec = (): number => (performance.now() - startedAt) / 1000;
  while (campaign.fed < options.inputs && elapsedSec() < options.seconds)
    campaign.run(Math.min(BATCH, options.inputs - campaign.fed), onInput);
  if (options.keep)
    for (const { target, kept } of campaign.aims)
      writeCorpus(
        target.name,
        kept.map(({ input }) => input),
      );
  const summary: Summary = {
    lines: summaryOf(campaign, elapsedSec(), options),
    isClean: campaign.findings.length === 0,
  };
  parentPort?.postMessage(summary);
}

function summaryOf({ aims, findings, fed }: Campaign, seconds: number, { seed }: Options): readonly string[] {
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  return [
    `${fed} inputs in ${seconds.toFixed(1)} s, ${Math.round(fed / seconds)} a second, peak memory ${peakMb} MB`,
    ...aims.map(({ target, met, kept }) => `  ${target.name}: ${met.size} outcomes, ${kept.length} inputs kept`),
    ...distinct(findings).map((finding) => describe(finding, seed)),
    findings.length === 0 ? "no promise broken" : `${findings.length} promises broken`,
  ];
}

function describe({ target, input, error, index }: Finding, seed: number): string {
  const file = writeCrash(target, `${seed}-${index}`, input);
  return `${target}, input ${index} of seed ${seed}, written to ${file}\n${traceOf(error)}`;
}

/** One finding per place that throws. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.target} ${placeOf(finding.error)}`, finding])).values()];
}

function placeOf(error: unknown): string {
  return traceOf(error).replaceAll(/\d+/g, "N").split("\n").slice(0, 3).join("\n");
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
