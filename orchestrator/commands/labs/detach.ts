/** `testbed up --detach`: the owner of a lab as a process of its own, which outlives the command that starts it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ownerLogPath } from "../../owner/socket-path.ts";
import { TestbedError } from "../../support/errors.ts";
import { PACKAGE_ROOT } from "../../support/package-root.ts";
import type { CommandContext, ExitCode } from "../context.ts";

/** What is said of a lab once it stands. */
const LAB_IS_UP = z.strictObject({ runId: z.string(), topology: z.string(), runtime: z.string(), socket: z.string() });

export type LabIsUp = z.infer<typeof LAB_IS_UP>;

/** Names the file that an owner in the background writes to; it is of no use once the lab has ended as it should. */
const LOG_VARIABLE = "MICE_TESTBED_OWNER_LOG";

export function forgetOwnerLog(): void {
  const path = process.env[LOG_VARIABLE];
  if (path !== undefined) rmSync(path, { force: true });
}

/** Tells the command that started this process in the background, if one did, and lets it go. */
export function reportToStarter(lab: LabIsUp): void {
  if (process.send === undefined) return;
  process.send(lab, () => process.disconnect());
}

/** Runs `testbed` with these words in the background, and returns once its lab stands, or with its exit code. */
export async function upInBackground(
  words: readonly string[],
  readyJson: boolean,
  { print, say, directory, signal }: CommandContext,
): Promise<ExitCode> {
  const logPath = ownerLogPath();
  const log = openSync(logPath, "w", 0o600);
  // Without npm's variables the owner does not end with npm.
  const { npm_lifecycle_event: _, ...environment } = process.env;
  const owner = spawn(process.execPath, [join(PACKAGE_ROOT, "orchestrator/launch.js"), ...words], {
    stdio: ["ignore", log, log, "ipc"],
    detached: true,
    cwd: directory,
    env: { ...environment, INIT_CWD: directory, [LOG_VARIABLE]: logPath },
  });
  closeSync(log);
  const stop = (): void => void owner.kill("SIGINT");
  signal.addEventListener("abort", stop, { once: true });
  const exited = once(owner, "exit").then(([code]) => (typeof code === "number" ? code : 1));
  const outcome = await Promise.race([once(owner, "message").then(([message]) => LAB_IS_UP.parse(message)), exited]);
  signal.removeEventListener("abort", stop);
  if (typeof outcome === "number") {
    for (const line of readFileSync(logPath, "utf8").trimEnd().split("\n")) say(line);
    rmSync(logPath);
    signal.throwIfAborted();
    return outcome === 0 ? 0 : failed(outcome);
  }
  owner.unref();
  if (readyJson) print(JSON.stringify(outcome));
  else
    say(
      `${outcome.topology} is up on ${outcome.runtime} as ${outcome.runId}; testbed down ${outcome.topology} ends it`,
    );
  say(`its owner writes to ${logPath}`);
  return 0;
}

/** Its own message has been shown. */
function failed(exitCode: number): ExitCode {
  if (exitCode > 0) return exitCode;
  throw new TestbedError("lab-ended", "the lab's owner ended before the lab stood");
}
