/**
 * Program: removes every object of one run from an engine. The watchdog starts it after the orchestrator has died. The
 * engine may still be executing the orchestrator's requests, so it looks again until nothing new has appeared for a
 * while; an engine that does not answer is asked again, each time over a new connection.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { answered, connectEngine } from "./engine.ts";
import { findRuns, removeRun } from "./removal.ts";

/** A container start requested before the death takes the engine up to about a second. */
const QUIET_MS = 3000;
const LOOK_EVERY_MS = 500;

/** How long one look, with its removals, may take. */
const LOOK_TIMEOUT_MS = 20_000;

/**
 * A network whose endpoints the engine has miscounted (moby#42119) stays until it restarts; the next sweep tries again.
 */
const GIVE_UP_MS = 10_000;

/** The orchestrator may have died of an engine that restarts. */
const GIVE_UP_SILENT_MS = 120_000;

const [endpoint, runId] = process.argv.slice(2);
if (endpoint === undefined || runId === undefined) throw new Error("usage: reaper.ts <engine endpoint> <run id>");

const startedAt = performance.now();
let giveUpAt = startedAt + GIVE_UP_MS;
let quietSince = startedAt;
while (performance.now() - quietSince < QUIET_MS && performance.now() < giveUpAt) {
  try {
    if (await answered(removeIfThere(endpoint, runId), LOOK_TIMEOUT_MS)) quietSince = performance.now();
  } catch {
    quietSince = performance.now();
    giveUpAt = startedAt + GIVE_UP_SILENT_MS;
  }
  await sleep(LOOK_EVERY_MS);
}
process.exit();

/** True if there was something to remove. */
async function removeIfThere(at: string, id: string): Promise<boolean> {
  const engine = await connectEngine(at);
  const isThere = (await findRuns(engine)).some((run) => run.runId === id);
  if (isThere) await removeRun(engine, id);
  return isThere;
}
