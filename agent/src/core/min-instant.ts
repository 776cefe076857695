import type { InstantMs } from "./machine.ts";

/** The earliest of several instants; undefined without any. */
export function minInstant(...instants: readonly (InstantMs | undefined)[]): InstantMs | undefined {
  let earliest: InstantMs | undefined;
  for (const instant of instants) {
    if (instant !== undefined && (earliest === undefined || instant < earliest)) earliest = instant;
  }
  return earliest;
}
