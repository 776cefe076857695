/** The name of a run, which its lab and its results carry. */

import { randomBytes } from "node:crypto";

/** `20261122-164210-nat-nat-3f9a`: sorts by time, names the topology, and is unique. */
export function newRunId(topology: string, now: Date): string {
  const [date = "", time = ""] = now.toISOString().replaceAll(/[-:]/g, "").split(/[T.]/);
  return `${date}-${time}-${topology}-${randomBytes(2).toString("hex")}`;
}

/** The topology that a run's name names; undefined for other names. */
export function topologyOfRun(runId: string): string | undefined {
  return /^\d{8}-\d{6}-(.+)-[0-9a-f]{4}$/.exec(runId)?.[1];
}
