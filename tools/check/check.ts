/**
 * `npm run check`: runs what a change must pass, side by side, and prints the whole output of each when it ends. One
 * after the other they take half as long again: lint uses one processor, and leaves the others idle.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Scripts of package.json, the longest first. */
const CHECKS = ["test:unit", "lint", "typecheck", "knip", "format:check"];

const passed = await Promise.all(CHECKS.map(runCheck));
process.exitCode = passed.every(Boolean) ? 0 : 1;

/** Runs one script, and says whether it succeeded. */
async function runCheck(script: string): Promise<boolean> {
  const startedAt = performance.now();
  const colour = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  // One pipe for both streams keeps their lines in order.
  const child = spawn("sh", ["-c", 'exec npm run --silent "$1" 2>&1', "check", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...colour },
  });
  const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
  const isPassed = child.exitCode === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`── ${script}: ${isPassed ? "passed" : "FAILED"} in ${seconds} s ──\n${output}\n`);
  return isPassed;
}
