/** Everything that a run leaves in memory. */

import type { DestroyReport, ExceededLimit, RuntimeEnvironment } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import type { ProgramSource } from "../topology/model/resolved.ts";
import type { CaptureStream } from "./capture-streams.ts";
import type { LabEvent, PhaseName } from "./lab-event.ts";

export interface LabRecord {
  readonly events: readonly LabEvent[];
  readonly phasesMs: ReadonlyMap<PhaseName, number>;
  readonly environment: RuntimeEnvironment | undefined;
  readonly captures: readonly CaptureStream[];
  /** By node: the counters of its protocol machine, and its log. */
  readonly counters: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly logs: ReadonlyMap<string, string>;
  readonly hosts: readonly HostRecord[];
  /** Why the run was aborted. */
  readonly error: unknown;
  /** Resolves when the lab is removed; removal has already begun, so that results can be written meanwhile. */
  readonly removal: Promise<DestroyReport>;
}

/** A host program of the lab. */
export interface HostRecord {
  readonly name: string;
  readonly source: ProgramSource;
  readonly command?: readonly string[];
  /** Absent if it did not end by itself. */
  readonly exitCode?: number;
  /** Limits that it has run into; absent for none. */
  readonly exceeded?: readonly ExceededLimit[];
  /** It was running when the lab was removed, which ended it. */
  readonly isEndedByTestbed?: boolean;
  /** It was to run until then. */
  readonly isService?: boolean;
  readonly log: string;
}

/** An error as results show it: its code, or `bug` for any error that is not a `TestbedError`. */
export function describeError(error: unknown): { code: string; message: string; hint?: string } {
  if (!(error instanceof TestbedError))
    return { code: "bug", message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
