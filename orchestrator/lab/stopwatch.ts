/** Measures the phases of a run. */

import type { LabEventBody, PhaseName } from "./lab-event.ts";

export interface Stopwatch {
  /** Runs one phase; its time counts even if it fails. */
  phase<T>(name: PhaseName, run: () => Promise<T>): Promise<T>;
  readonly phasesMs: ReadonlyMap<PhaseName, number>;
}

/** `now` is a monotonic clock in milliseconds. */
export function createStopwatch(now: () => number, onEnd: (event: LabEventBody) => void): Stopwatch {
  const phasesMs = new Map<PhaseName, number>();
  return {
    phasesMs,
    async phase(name, run) {
      const startedAt = now();
      try {
        return await run();
      } finally {
        const durationMs = now() - startedAt;
        phasesMs.set(name, (phasesMs.get(name) ?? 0) + durationMs);
        onEnd({ type: "phase-ended", phase: name, durationMs });
      }
    },
  };
}
