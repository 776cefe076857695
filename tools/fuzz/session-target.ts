/**
 * Stateful fuzzing: each input is one step in the life of two home agents and two nodes with a session, among a rogue
 * and strangers (`hostile-session.ts`). Beyond what holds for any input, the session of others stays whole, packets go
 * only where they may (`node-watch.ts`), and memory stays bounded.
 */

import { HostileSession } from "./hostile-session.ts";
import { RECORDED_PAYLOADS } from "./recorded-run.ts";
import { repairPayload } from "./repair.ts";
import { retainedOctets } from "./retained-memory.ts";
import { expectAtMost, type FuzzTarget } from "./target.ts";

/** Steps between two measurements; the first one is what the others are compared with. */
const STEPS_PER_MEASUREMENT = 20_000;
/** All sessions, tables and queues that strangers can fill. */
const MAX_GROWTH_OCTETS = 32 * 2 ** 20;
const SEED = 20_261_130;

/** A fresh session, for one campaign. A step that violates an invariant ends it, and the next one begins another. */
export function createSessionTarget(): FuzzTarget {
  let session: HostileSession | undefined;
  let steps = 0;
  let firstOctets = 0;
  const measure = (): void => {
    if (steps % STEPS_PER_MEASUREMENT !== 0) return;
    const octets = retainedOctets();
    if (steps === STEPS_PER_MEASUREMENT) firstOctets = octets;
    expectAtMost(MAX_GROWTH_OCTETS, octets - firstOctets, `octets more after ${steps} steps`);
  };
  return {
    name: "session",
    seeds: RECORDED_PAYLOADS,
    repair: (input, rng) => repairPayload(input, session?.key(rng) ?? new Uint8Array(1)),
    run(input, rng) {
      const live = (session ??= new HostileSession(SEED));
      // Whatever goes wrong leaves nodes behind that cannot be trusted.
      session = undefined;
      const met = live.step(input, rng);
      steps += 1;
      measure();
      session = live;
      return met;
    },
  };
}
