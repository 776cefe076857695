/** The node's two clocks. All nodes on a machine share the kernel's monotonic clock, so their instants compare. */

import type { ClockReading } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";
import { createSuspensionMeter } from "./suspension.ts";

/** Offset from the process's monotonic clock to the kernel's. */
const kernelOffsetMs = kernelMonotonicMs() - performance.now();

const measureSuspension = createSuspensionMeter();
let suspendedMs = 0;

/**
 * Kernel monotonic time (CLOCK_MONOTONIC) in milliseconds with a fraction, and on top of it what the machine was
 * suspended since the process began, because NATs and peers did not stand still.
 */
export function now(): InstantMs {
  return performance.now() + kernelOffsetMs + suspendedMs;
}

/** Lets `now` jump by the time for which the machine was suspended since the last call; false when it was not. */
export function noticeSuspension(): boolean {
  const sinceMs = measureSuspension();
  suspendedMs += sinceMs;
  return sinceMs > 0;
}

/** Unix time in milliseconds of the monotonic clock's 0, as this node's clock has it now. */
export function clockOriginMs(): number {
  return Date.now() - now();
}

/**
 * Monotonic and real time of one moment. JavaScript's real time has whole milliseconds, so this waits until one begins:
 * at most 1 ms of waiting for an error of a few microseconds.
 */
export function readClocks(): ClockReading {
  const before = Date.now();
  let realMs = Date.now();
  while (realMs === before) realMs = Date.now();
  return { monotonicMs: now(), realMs };
}

function kernelMonotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
