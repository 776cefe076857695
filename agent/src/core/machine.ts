/**
 * The interface of every protocol machine: inputs, output queues, no clock, no socket.
 *
 * A driver passes in datagrams and timeouts, drains `pollTransmit` and `pollEvent` until both are empty, and arms one
 * timer for `pollTimeout`. Calling `handleTimeout` early is harmless. The same seed and inputs produce the same octets.
 */

import type { SocketAddress } from "./address.ts";

/** Milliseconds on a monotonic axis whose origin has no meaning; may carry a fraction. */
export type InstantMs = number;

/** A received UDP payload: `local` is the socket it arrived at, `remote` its source. */
export interface Datagram {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly payload: Uint8Array;
}

/** A UDP payload to send from the socket bound to `local` to `remote`. */
export interface Transmit {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly payload: Uint8Array;
}

/** Source of randomness; a seeded one makes a run reproducible. */
export interface Rng {
  /** Fresh random octets. */
  bytes(length: number): Uint8Array;
}

/** Makes an unhandled member of a union a compile error, and throws at run time. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
