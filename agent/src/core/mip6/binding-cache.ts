/** The bindings of a home agent (RFC 6275 section 9.1): the current location of each home address, with a lifetime. */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { InstantMs } from "../machine.ts";
import { addressKey } from "./ipv6-packet.ts";

/** One binding over DSMIPv6. */
export interface Binding {
  readonly homeAddress: string;
  /** The care-of address that the mobile node sent, before any translation. */
  readonly careOf: string;
  /** Socket of the home agent at which the tunnel arrives. */
  readonly local: SocketAddress;
  /** Outer source of the tunnel as received; all packets of the binding are exchanged with it. */
  readonly observed: SocketAddress;
  readonly natDetected: boolean;
  /** Of the last accepted update. */
  readonly sequence: number;
  readonly expiresAt: InstantMs;
  /** Where the tunnel ended before, while packets that were sent there may still be on their way. */
  readonly left?: TunnelEnd & { readonly until: InstantMs };
}

/** Where a tunnel arrives: a socket of the home agent, and the outer source. */
export type TunnelEnd = Pick<Binding, "local" | "observed">;

/** How long packets of a node are taken from the place that it has left; as long as on a pair that it has left. */
const LINGER_MS = 3000;

/** The place that a node leaves with an update from another one, or has left not long ago. */
export function placeLeft(now: InstantMs, before: Binding | undefined, end: TunnelEnd): Binding["left"] {
  if (before === undefined || isAt(before, end.local, end.observed)) return before?.left;
  return { local: before.local, observed: before.observed, until: now + LINGER_MS };
}

/** Whether packets from this source at this socket are those of the bound node. */
export function takesFrom(now: InstantMs, binding: Binding, local: SocketAddress, observed: SocketAddress): boolean {
  const { left } = binding;
  return isAt(binding, local, observed) || (left !== undefined && now < left.until && isAt(left, local, observed));
}

function isAt(end: TunnelEnd, local: SocketAddress, observed: SocketAddress): boolean {
  return sameSocketAddress(end.observed, observed) && sameSocketAddress(end.local, local);
}

/** Bindings by home address; `limit` is the number at which it is full. The caller enforces it. */
export class BindingCache {
  readonly #limit: number;
  readonly #bindings = new Map<string, Binding>();
  /** Least `expiresAt`; undefined when it has to be recomputed. */
  #nextExpiryAt: InstantMs | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * The binding by the key of a home address (`addressKey`, `sourceKey`, `destinationKey`); the data path's look-up.
   */
  findByKey(key: string): Binding | undefined {
    return this.#bindings.get(key);
  }

  find(homeAddress: string): Binding | undefined {
    return this.#bindings.get(addressKey(homeAddress));
  }

  /** True at `limit` bindings. */
  get isFull(): boolean {
    return this.#bindings.size >= this.#limit;
  }

  /** Adds or replaces the binding of this home address. */
  put(binding: Binding): void {
    this.remove(binding.homeAddress);
    this.#bindings.set(addressKey(binding.homeAddress), binding);
    if (this.#bindings.size === 1 || this.#nextExpiryAt !== undefined)
      this.#nextExpiryAt = Math.min(this.#nextExpiryAt ?? Number.POSITIVE_INFINITY, binding.expiresAt);
  }

  remove(homeAddress: string): void {
    const key = addressKey(homeAddress);
    // Avoids a walk through the table for each registration of a flood.
    if (this.#bindings.get(key)?.expiresAt === this.#nextExpiryAt) this.#nextExpiryAt = undefined;
    this.#bindings.delete(key);
  }

  /** Removes and returns all expired bindings. */
  expire(now: InstantMs): readonly Binding[] {
    const expired = [...this.#bindings.values()].filter(({ expiresAt }) => expiresAt <= now);
    for (const { homeAddress } of expired) this.remove(homeAddress);
    return expired;
  }

  /** When the next binding expires; undefined without bindings. */
  nextExpiry(): InstantMs | undefined {
    if (this.#bindings.size === 0) return undefined;
    this.#nextExpiryAt ??= [...this.#bindings.values()].reduce(
      (earliest, { expiresAt }) => Math.min(earliest, expiresAt),
      Number.POSITIVE_INFINITY,
    );
    return this.#nextExpiryAt;
  }
}
