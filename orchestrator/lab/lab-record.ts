/** Everything that the run of a lab left in memory. */

import type { DestroyReport, RuntimeEnvironment } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import type { CaptureStream } from "./capture-streams.ts";
import type { LabEvent, PhaseName } from "./lab-event.ts";

export interface LabRecord {
  readonly events: readonly LabEvent[];
  readonly phasesMs: ReadonlyMap<PhaseName, number>;
  readonly environment: RuntimeEnvironment | undefined;
  readonly captures: readonly CaptureStream[];
  /** By node: what its protocol machine counted, and what it logged. */
  readonly counters: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly logs: ReadonlyMap<string, string>;
  readonly hosts: readonly HostRecord[];
  /** Why the run could not be carried through. */
  readonly error: unknown;
  /** Settles when the lab is gone; under way already, so that results can be written meanwhile. */
  readonly removal: Promise<DestroyReport>;
}

/** A foreign program of the lab. */
export interface HostRecord {
  readonly name: string;
  readonly image: string;
  /** Absent while it ran to the end of the run. */
  readonly exitCode?: number;
  readonly log: string;
}

/** What an error is called in results: its code, and `bug` for everything that is no error of this program's own kind. */
export function describeError(error: unknown): { code: string; message: string; hint?: string } {
  if (!(error instanceof TestbedError))
    return { code: "bug", message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
