/**
 * A timer with the kernel's own resolution: 0.08 ms late in the median (two cores at load 8). Node's timers know whole
 * milliseconds only and leave a fraction to wait for, which a link's delay would show.
 */

import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";

export interface Alarm {
  /** Goes off once after this many milliseconds, at once for none; undefined for not at all. Replaces what was set before. */
  set(afterMs: number | undefined): void;
  close(): void;
}

const CLOCK_MONOTONIC = 1;
const TFD_NONBLOCK = 0o4000;

/** `struct itimerspec`: interval and value, each seconds and nanoseconds of 64 bits. */
const ITIMERSPEC_LENGTH = 32;
const VALUE_SECONDS_OFFSET = 16;
const VALUE_NANOSECONDS_OFFSET = 24;

/** Nothing shorter is asked for: a value of zero would disarm the timer. */
const SHORTEST_NS = 1;

/** Makes an alarm that is not set. `onDue` sets it again, or to undefined. */
export function createAlarm(onDue: () => void): Alarm {
  const { timerfd_create, timerfd_settime, poll, close, errno } = libc();
  const fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  if (fd === -1) throw new NodeFailure("setup-failed", `the kernel refused a timer: errno ${errno()}`);
  const value = Buffer.alloc(ITIMERSPEC_LENGTH);
  // Setting a timer forgets that it went off, so that nothing has to be read from it.
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
