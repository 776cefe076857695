/** Notices that the machine was suspended. The monotonic clock stands still then, and with it every timer. */

import { libc } from "../native/native.ts";

/** Clocks of the kernel (linux/time.h): only the second one goes on during a suspension. */
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

/** Octets of a `struct timespec`. */
const TIMESPEC_OCTETS = 16;

/** The two clocks are read one after the other: so much apart they show no suspension. */
const LEAST_SUSPENSION_MS = 100;

/** The kernel's clocks without and with the time of suspensions, milliseconds. */
export interface KernelClocks {
  readonly monotonicMs: number;
  readonly bootMs: number;
}

/** Makes a function that returns for how long the machine was suspended since its last call, 0 for the first. */
export function createSuspensionMeter(read: () => KernelClocks = readKernelClocks): () => number {
  let knownMs: number | undefined;
  return () => {
    const { monotonicMs, bootMs } = read();
    const suspendedMs = bootMs - monotonicMs;
    const sinceMs = suspendedMs - (knownMs ?? suspendedMs);
    const isSuspension = sinceMs >= LEAST_SUSPENSION_MS;
    if (isSuspension || knownMs === undefined) knownMs = suspendedMs;
    return isSuspension ? sinceMs : 0;
  };
}

function readKernelClocks(): KernelClocks {
  return { monotonicMs: readClock(CLOCK_MONOTONIC), bootMs: readClock(CLOCK_BOOTTIME) };
}

function readClock(clock: number): number {
  const time = Buffer.alloc(TIMESPEC_OCTETS);
  libc().clock_gettime(clock, time);
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
}
