/**
 * Places the instants of a node on the absolute axis of the lab. A node's events carry its monotonic clock; its `hello`
 * and `bye` carry that clock and the real one, read together. Packets carry real time, and so one axis holds both.
 */

import type { ClockReading } from "@testbed/agent/control";

/** A real clock that was set during the run moves by more than this between `hello` and `bye`, milliseconds. */
const CLOCK_STEP_MS = 5;

/** Milliseconds since 1970 of an instant of the node that gave this reading. */
export function realTimeOf(atMs: number, reading: ClockReading): number {
  return reading.realMs + (atMs - reading.monotonicMs);
}

/**
 * How far the node's real clock was set between two readings, milliseconds; 0 when it was left alone. After a step,
 * packets and events of the run are not on one axis.
 */
export function clockStepMs(first: ClockReading, last: ClockReading): number {
  const step = last.realMs - first.realMs - (last.monotonicMs - first.monotonicMs);
  return Math.abs(step) > CLOCK_STEP_MS ? step : 0;
}
