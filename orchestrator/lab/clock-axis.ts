/**
 * Converts a node's times to the lab's absolute axis. A node's events carry its monotonic clock; its `hello` and `bye`
 * carry that clock and the real-time clock, read together. Packets carry real time, so one axis holds both.
 */

import type { ClockReading } from "@testbed/agent/control";

/**
 * A larger difference between `hello` and `bye` means that the real-time clock was set during the run, milliseconds.
 */
const CLOCK_STEP_MS = 5;

/** Milliseconds since 1970 of a time of the node that sent this reading. */
export function realTimeOf(atMs: number, reading: ClockReading): number {
  return reading.realMs + (atMs - reading.monotonicMs);
}

/**
 * How far the node's real-time clock was set between two readings, milliseconds; 0 if it was not. After a step, packets
 * and events of the run are not on one axis.
 */
export function clockStepMs(first: ClockReading, last: ClockReading): number {
  const step = last.realMs - first.realMs - (last.monotonicMs - first.monotonicMs);
  return Math.abs(step) > CLOCK_STEP_MS ? step : 0;
}
