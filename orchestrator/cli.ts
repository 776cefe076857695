/**
 * The command line: parses arguments into a command and its options; the only place that turns errors into messages and
 * exit codes.
 */

import { Command, CommanderError, Help, Option } from "commander";
import { addLabCommands } from "./cli-lab-commands.ts";
import {
  commaList,
  jobs,
  runtimeList,
  runtimeOption,
  type Timed,
  timeoutOption,
  timeoutsOption,
  wholeNumber,
  withTimeout,
} from "./cli-options.ts";
import type { CommandContext, ExitCode } from "./commands/context.ts";
import type { MatrixOptions } from "./commands/matrix/matrix-options.ts";
import type { ProbeOptions } from "./commands/probe.ts";
import type { RunOptions } from "./commands/run-options.ts";
import type { SetupOptions } from "./commands/setup.ts";
import { printTo, writeLines } from "./commands/terminal-output.ts";
import { RUNTIME_CHOICES, RUNTIME_NAMES } from "./runtime/runtime-name.ts";
import { TestbedError } from "./support/errors.ts";
import { listenForInterruption } from "./support/interruption.ts";
import { cureOf } from "./support/system-error.ts";
import { nearestName } from "./topology/file/nearest-name.ts";

/** Exit code for a bug in this program (EX_SOFTWARE), and for what the machine lacks. */
const BUG = 70;
const MACHINE = 3;

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
    .showSuggestionAfterError()
    .enablePositionalOptions();

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

  const finish = (code: ExitCode): void => void (exitCode = code);
  addFileCommands(program, finish);
  addMatrixCommand(program, finish);
  addProbeCommand(program, finish);
  addLabCommands(program, context, finish);
  addMaintenanceCommands(program, finish);
  await program.parseAsync(argv);
  return exitCode;
}

/** The commands that read topology files and make nothing. */
function addFileCommands(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("list")
    .description("the topologies there are")
    .option("--json", "as JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { list } = await import("./commands/list.ts");
      finish(await list(json, context()));
    });

  program
    .command("validate")
    .description("check topology files: all of them, or those named")
    .argument("[topology...]")
    .action(async (topologies: string[]) => {
      const { validate } = await import("./commands/validate.ts");
      finish(await validate(topologies, context()));
    });

  program
    .command("plan")
    .description("show what a run would make: steps, addresses and the exact rule texts; makes nothing")
    .argument("<topology>")
    .option("--json", "as JSON", false)
    .option("--seed <number>", "seed in place of the topology's", wholeNumber)
    .action(async (topology: string, options: { json: boolean; seed?: number }) => {
      const { plan } = await import("./commands/plan.ts");
      finish(await plan(topology, options, context()));
    });
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

function context(progressToStderr = false): CommandContext {
  return {
    ...printTo(process.stdout, progressToStderr ? process.stderr : process.stdout, process.env),
    signal: interruption.signal,
    // npm changes to the directory of package.json and sets INIT_CWD to the caller's.
    directory: process.env["INIT_CWD"] ?? process.cwd(),
  };
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
