/**
 * Program: removes every object of one run from an engine. The watchdog starts it after the orchestrator has died. The
 * engine may still be executing the orchestrator's requests, so it looks again until nothing new has appeared for a
 * while.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine } from "./engine.ts";
import { findRuns, removeRun } from "./removal.ts";

/** A container start requested before the death takes the engine up to about a second. */
const QUIET_MS = 3000;
const LOOK_EVERY_MS = 500;

/**
 * A network whose endpoints the engine has miscounted (moby#42119) stays until it restarts; the next sweep tries again.
 */
const GIVE_UP_MS = 10_000;

const [endpoint, runId] = process.argv.slice(2);
if (endpoint === undefined || runId === undefined) throw new Error("usage: reaper.ts <engine endpoint> <run id>");

const engine = await connectEngine(endpoint);
const giveUpAt = performance.now() + GIVE_UP_MS;
let quietSince = performance.now();
while (performance.now() - quietSince < QUIET_MS && performance.now() < giveUpAt) {
  const isThere = (await findRuns(engine)).some((run) => run.runId === runId);
  if (isThere) {
    await removeRun(engine, runId);
    quietSince = performance.now();
  }
  await sleep(LOOK_EVERY_MS);
}
