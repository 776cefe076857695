/**
 * The shape every protocol machine of this package has: input in, queues out, no clock, no socket.
 *
 * A driver feeds datagrams and wake-ups, then drains `pollTransmit` and `pollEvent` until both are empty and arms one
 * timer for `pollTimeout`. Calling `handleTimeout` early is harmless; the same seed and inputs give the same bytes.
 */

import type { SocketAddress } from "./address.ts";

/** Milliseconds on a monotonic axis whose origin has no meaning; may carry a fraction. */
export type InstantMs = number;

/** A UDP payload that arrived: `local` is the socket it came in on, `remote` its source. */
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

/** Source of randomness, injected so that a seed reproduces a run. */
export interface Rng {
  /** Fresh random octets. */
  bytes(length: number): Uint8Array;
}

/** Makes an unhandled member of a union a compile error, and a bug report at run time. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
