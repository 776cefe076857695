/**
 * The command line: parses arguments into a command and its options; the only place that turns errors into messages and
 * exit codes.
 */

import { Command, CommanderError, Help, InvalidArgumentError, Option } from "commander";
import type { CommandContext, ExitCode } from "./commands/context.ts";
import type { DownOptions } from "./commands/down.ts";
import type { MatrixOptions } from "./commands/matrix/matrix-options.ts";
import type { ProbeOptions } from "./commands/probe.ts";
import type { RunOptions } from "./commands/run-options.ts";
import type { SetupOptions } from "./commands/setup.ts";
import { printTo, writeLines } from "./commands/terminal-output.ts";
import { RUNTIME_CHOICES, RUNTIME_CONDITIONS, RUNTIME_NAMES, type RuntimeChoice } from "./runtime/runtime-name.ts";
import { TestbedError } from "./support/errors.ts";
import { listenForInterruption } from "./support/interruption.ts";
import { cureOf } from "./support/system-error.ts";
import { nearestName } from "./topology/file/nearest-name.ts";

/** Exit code for a bug in this program (EX_SOFTWARE), and for what the machine lacks. */
const BUG = 70;
const MACHINE = 3;

/** Default timeout of a run on a usual machine. */
const DEFAULT_TIMEOUT_SEC = 60;

const interruption = listenForInterruption();
// Node's own exit code would be 1, an expectation that was not met.
process.on("uncaughtException", (error) => process.exit(reportError(error)));
const exitCode = await main(process.argv).catch(reportError);
interruption.stop();
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
const outputError = interruption.outputError();
// If it ended a run, the run has already reported it.
const outputCode = outputError !== undefined && exitCode <= 1 ? reportError(outputError) : 0;
// Open connections to the engine must not keep the process alive.
process.exit(exitCode === 0 ? outputCode : exitCode);

/** Commands are loaded on demand: most need little of what the others use. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = new Command("testbed")
    .description("M-ICE on real NATs, home agents and kernel UDP, in containers")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ optionDescription })
    .showSuggestionAfterError();

  program
    .command("run", { isDefault: true })
    .description("run topologies, by name or by path, and judge what they do (the default command)")
    .argument("<topology...>")
    .addOption(runtimeOption())
    .option("--keep", "leave the lab running", false)
    .option("--json", "print the result as JSON, an array for several topologies; progress goes to stderr", false)
    .option("--out <directory>", "where results go", "out")
    .option("--seed <number>", "seed in place of the topology's", wholeNumber)
    .addOption(timeoutOption("longest duration of one run, times of its timeline not counted"))
    .addOption(timeoutsOption())
    .option("--no-capture", "do not capture packets")
    .action(async (topologies: string[], options: Timed<RunOptions>) => {
      const { run } = await import("./commands/run.ts");
      try {
        exitCode = await run(topologies, withTimeout(options), context(options.json));
      } catch (error) {
        throw withCommandMeant(error, topologies, program);
      }
    });

  program
    .command("list")
    .description("the topologies there are")
    .option("--json", "as JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { list } = await import("./commands/list.ts");
      exitCode = await list(json, context());
    });

  program
    .command("validate")
    .description("check topology files: all of them, or those named")
    .argument("[topology...]")
    .action(async (topologies: string[]) => {
      const { validate } = await import("./commands/validate.ts");
      exitCode = await validate(topologies, context());
    });

  program
    .command("plan")
    .description("show what a run would make: steps, addresses and the exact rule texts; makes nothing")
    .argument("<topology>")
    .option("--json", "as JSON", false)
    .option("--seed <number>", "seed in place of the topology's", wholeNumber)
    .action(async (topology: string, options: { json: boolean; seed?: number }) => {
      const { plan } = await import("./commands/plan.ts");
      exitCode = await plan(topology, options, context());
    });

  addMatrixCommand(program, (code) => (exitCode = code));
  addProbeCommand(program, (code) => (exitCode = code));
  addMaintenanceCommands(program, (code) => (exitCode = code));
  await program.parseAsync(argv);
  return exitCode;
}

/** An unknown word is taken for a topology; where it resembles a command, the hint names that command. */
function withCommandMeant(error: unknown, [word = ""]: readonly string[], { commands }: Command): unknown {
  if (!(error instanceof TestbedError) || error.code !== "unknown-topology" || word.includes("/")) return error;
  const meant = nearestName(
    word,
    commands.map((command) => command.name()),
  );
  return meant === undefined
    ? error
    : new TestbedError(error.code, error.message, { hint: `did you mean: npm run testbed ${meant}`, cause: error });
}

/** Omits the default of a switch that is off by default. */
function optionDescription(option: Option): string {
  return option.isBoolean() ? option.description : new Help().optionDescription(option);
}

function addMatrixCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("matrix")
    .description("run NATs of the mobile node × NATs of the correspondent node, and compare with the prediction")
    .option(
      "--with <names>",
      "NATs and firewalls on both sides; the nine mapping × filtering behaviours when absent",
      commaList,
    )
    .option("--mn <names>", "those of the mobile node, in place of --with", commaList)
    .option("--cn <names>", "those of the correspondent node, in place of --with", commaList)
    .addOption(
      new Option(
        "--runtime <names>",
        `${RUNTIME_CHOICES.join(", ")}; ${RUNTIME_NAMES.join(",")} for one after the other`,
      )
        .argParser(runtimeList)
        .default(["auto"], "auto"),
    )
    .option("--jobs <number>", "labs at once; as many as the machine takes when absent", jobs)
    .option("--both-orders", "run every pair twice, the offer coming from either end", false)
    .option("--fresh-labs", "make a new lab for every cell, in place of giving labs that are there other rules", false)
    .option("--json", "print the result as JSON; progress goes to stderr", false)
    .option("--out <directory>", "where results go", "out")
    .option("--seed <number>", "seed of every cell", wholeNumber)
    .addOption(timeoutOption("longest duration of one cell"))
    .addOption(timeoutsOption())
    .action(async (options: Timed<MatrixOptions>) => {
      const { matrix } = await import("./commands/matrix/matrix.ts");
      finish(await matrix(withTimeout(options), context(options.json)));
    });
}

function addProbeCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("probe")
    .description("verify the NATs and firewalls of topologies (RFC 5780), and nothing else")
    .argument("<topology...>")
    .addOption(runtimeOption())
    .option("--lifetime", "measure UDP lifetimes too: takes 1.4 times the longest, so for short ones", false)
    .option("--json", "print what was seen as JSON, an array for several topologies", false)
    .option("--seed <number>", "seed in place of the topology's", wholeNumber)
    .addOption(timeoutOption("longest duration for one topology, lifetimes not counted"))
    .addOption(timeoutsOption())
    .action(async (topologies: string[], options: Timed<ProbeOptions>) => {
      const { probe } = await import("./commands/probe.ts");
      finish(await probe(topologies, withTimeout(options), context(options.json)));
    });
}

/** The commands that maintain the machine and the repository. */
function addMaintenanceCommands(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("schema")
    .description("the generated files of this repository: say which are out of date, or write them")
    .option("--write", "write them", false)
    .action(async ({ write }: { write: boolean }) => {
      const { schema } = await import("./commands/schema.ts");
      finish(await schema(write, context()));
    });

  program
    .command("down")
    .description(
      "remove labs: those named by run id or topology; without names kept ones and leftovers, whose run is no process any more",
    )
    .argument("[lab...]")
    .addOption(
      new Option("--runtime <name>", "only labs of this runtime")
        .choices(RUNTIME_CHOICES)
        .default("auto", "all labs of this machine"),
    )
    .option("--all", "without names, also labs of runs that are under way", false)
    .action(async (labs: string[], options: DownOptions) => {
      const { down } = await import("./commands/down.ts");
      finish(await down(labs, options, context()));
    });

  program
    .command("setup")
    .description("install, start and build what is missing on this machine")
    .option("--check", "only report what is missing", false)
    .addOption(
      new Option("--runtime <name>", "what to make ready; netns needs no engine")
        .choices([...RUNTIME_NAMES, "all"])
        .default("all"),
    )
    .action(async (options: SetupOptions) => {
      const { setup } = await import("./commands/setup.ts");
      finish(await setup(options, context()));
    });
}

function runtimeOption(): Option {
  return new Option("--runtime <name>", "what runs the lab")
    .choices(RUNTIME_CHOICES)
    .default("auto", RUNTIME_NAMES.map((name) => `${name} ${RUNTIME_CONDITIONS[name]}`).join(", else "));
}

/** Options as on the command line: `timeout` in seconds where the command takes milliseconds. */
type Timed<Options extends { readonly timeoutMs: number; readonly timeouts: number }> = Omit<Options, "timeoutMs"> & {
  readonly timeout?: number;
  readonly timeouts: number;
};

function timeoutOption(description: string): Option {
  const text = `${description}; ${DEFAULT_TIMEOUT_SEC} times --timeouts when absent`;
  return new Option("--timeout <seconds>", text).argParser(seconds);
}

function timeoutsOption(): Option {
  return new Option("--timeouts <factor>", "how much longer each step may take, such as 3 on a slow machine")
    .argParser(factor)
    .default(1);
}

function withTimeout<Rest extends { readonly timeout?: number; readonly timeouts: number }>({
  timeout,
  ...rest
}: Rest): Omit<Rest, "timeout"> & { readonly timeoutMs: number } {
  return { ...rest, timeoutMs: (timeout ?? DEFAULT_TIMEOUT_SEC * rest.timeouts) * 1000 };
}

function context(progressToStderr = false): CommandContext {
  return {
    ...printTo(process.stdout, progressToStderr ? process.stderr : process.stdout, process.env),
    signal: interruption.signal,
    // npm changes to the directory of package.json and sets INIT_CWD to the caller's.
    directory: process.env["INIT_CWD"] ?? process.cwd(),
  };
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of at most 9 digits.");
}

function jobs(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1 to 999.");
}

function commaList(text: string): readonly string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.every((word) => word !== "")) return words;
  throw new InvalidArgumentError("expected names with commas between them.");
}

function runtimeList(text: string): readonly RuntimeChoice[] {
  return commaList(text).map((word) => {
    const choice = RUNTIME_CHOICES.find((name) => name === word);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(`expected ${RUNTIME_CHOICES.join(", ")}, or several of them with commas between.`);
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError("expected seconds, more than 0 and at most 86400.");
}

function factor(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 100) return value;
  throw new InvalidArgumentError("expected a factor from 0.1 to 100.");
}

/** Prints an error once, according to its kind, and returns the exit code. */
function reportError(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    writeLines(process.stderr, `${error.message}\nsee: npm run testbed -- --help`);
    return 2;
  }
  if (error instanceof TestbedError) {
    writeLines(process.stderr, `error: ${error.message}${error.hint === undefined ? "" : `\n  → ${error.hint}`}`);
    return error.exitCode;
  }
  const cure = cureOf(error);
  if (cure !== undefined && error instanceof Error) {
    writeLines(process.stderr, `error: this machine lacks something: ${error.message}\n  → ${cure}`);
    return MACHINE;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeLines(process.stderr, `error: this is a bug of the testbed, please report it with these lines\n${detail}`);
  return BUG;
}
