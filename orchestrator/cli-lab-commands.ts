/** The commands about labs that are up. */

import { type Command, Option } from "commander";
import { runtimeOption, type Timed, timeoutOption, timeoutsOption, wholeNumber, withTimeout } from "./cli-options.ts";
import type { CommandContext, ExitCode } from "./commands/context.ts";
import type { LogOptions } from "./commands/labs/ask-owner.ts";
import type { DownOptions } from "./commands/labs/down.ts";
import type { UpOptions } from "./commands/labs/up.ts";
import { RUNTIME_CHOICES } from "./runtime/runtime-name.ts";

type NewContext = (progressToStderr?: boolean) => CommandContext;
/** Is told the exit code of the command that ran. */
type Finish = (code: ExitCode) => void;

export function addLabCommands(program: Command, context: NewContext, finish: Finish): void {
  addMakingCommands(program, context, finish);
  addLookingCommands(program, context, finish);
  addEnteringCommands(program, finish);
}

/** Those by which labs come and go. */
function addMakingCommands(program: Command, context: NewContext, finish: Finish): void {
  program
    .command("up")
    .description("make a lab, bring its sessions to their paths, and stay: Ctrl-C or `testbed down` ends it")
    .argument("<topology>")
    .addOption(runtimeOption())
    .option("--detach", "in the background: return once the lab stands", false)
    .option("--ready-json", "one line of JSON once the lab stands; progress goes to stderr", false)
    .option("--seed <number>", "seed in place of the topology's", wholeNumber)
    .addOption(timeoutOption("longest time until the lab stands"))
    .addOption(timeoutsOption())
    .action(async (topology: string, { detach, ...options }: Timed<UpOptions> & { readonly detach: boolean }) => {
      const { readyJson } = options;
      if (detach) {
        const { upInBackground } = await import("./commands/labs/detach.ts");
        const words = process.argv.slice(2).filter((word) => word !== "--detach");
        finish(await upInBackground(words, readyJson, context(readyJson)));
        return;
      }
      const { up } = await import("./commands/labs/up.ts");
      finish(await up(topology, withTimeout(options), context(readyJson)));
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
      const { down } = await import("./commands/labs/down.ts");
      finish(await down(labs, options, context()));
    });
}

/** Those that tell of labs. */
function addLookingCommands(program: Command, context: NewContext, finish: Finish): void {
  program
    .command("ps")
    .description("the labs of this machine")
    .option("--json", "as JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { ps } = await import("./commands/labs/ps.ts");
      finish(await ps(json, context(json)));
    });

  program
    .command("status")
    .description("a lab that is up: nodes, sessions with their paths, what was found of its NATs")
    .argument("[lab]")
    .option("--json", "as JSON", false)
    .action(async (lab: string | undefined, { json }: { json: boolean }) => {
      const { status } = await import("./commands/labs/ask-owner.ts");
      finish(await status(lab, json, context(json)));
    });

  program
    .command("logs")
    .description("what the nodes of a lab that is up have written, and the programs of its hosts")
    .argument("[node...]")
    .option("--lab <name>", "the lab, where several are up")
    .option("-f, --follow", "go on with what they write from now on", false)
    .action(async (nodes: string[], options: LogOptions) => {
      const { logs } = await import("./commands/labs/ask-owner.ts");
      finish(await logs(nodes, options, context()));
    });
}

/** Those that run something in a node. */
function addEnteringCommands(program: Command, finish: Finish): void {
  program
    .command("exec")
    .description("run a command in a node: [lab] <node> -- <command…>; its exit code is this one's")
    .argument("<words...>")
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { exec } = await import("./commands/labs/exec.ts");
      finish(await exec(words));
    });

  program
    .command("shell")
    .description("an interactive shell in a node: [lab] <node>")
    .argument("<words...>")
    .action(async (words: string[]) => {
      const { shell } = await import("./commands/labs/exec.ts");
      finish(await shell(words));
    });
}
