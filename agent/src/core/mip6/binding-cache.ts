/** The bindings of a home agent (RFC 6275 section 9.1): where each home address is now, for a limited time. */

import type { SocketAddress } from "../address.ts";
import type { InstantMs } from "../machine.ts";
import { addressKey } from "./ipv6-packet.ts";

/** One binding over DSMIPv6. */
export interface Binding {
  readonly homeAddress: string;
  /** The care-of address that the mobile node named, before any translation. */
  readonly careOf: string;
  /** Socket of the home agent that the tunnel arrives at. */
  readonly local: SocketAddress;
  /** Source of the tunnel as seen here; every packet of the binding goes to and comes from it. */
  readonly observed: SocketAddress;
  readonly natDetected: boolean;
  /** Of the last update taken. */
  readonly sequence: number;
  readonly expiresAt: InstantMs;
}

/** Bindings by home address; `limit` is how many make it full, which the caller minds. */
export class BindingCache {
  readonly #limit: number;
  readonly #bindings = new Map<string, Binding>();
  /** Least `expiresAt`; undefined when it has to be found again. */
  #nextExpiryAt: InstantMs | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The binding of a home address by its key (`addressKey`, `sourceKey`, `destinationKey`): the data path's look-up. */
  findByKey(key: string): Binding | undefined {
    return this.#bindings.get(key);
  }

  find(homeAddress: string): Binding | undefined {
    return this.#bindings.get(addressKey(homeAddress));
  }

  /** True when it holds as many as it was made for. */
  get isFull(): boolean {
    return this.#bindings.size >= this.#limit;
  }

  /** Makes or replaces the binding of this home address. */
  put(binding: Binding): void {
    this.remove(binding.homeAddress);
    this.#bindings.set(addressKey(binding.homeAddress), binding);
    if (this.#bindings.size === 1 || this.#nextExpiryAt !== undefined)
      this.#nextExpiryAt = Math.min(this.#nextExpiryAt ?? Number.POSITIVE_INFINITY, binding.expiresAt);
  }

  remove(homeAddress: string): void {
    const key = addressKey(homeAddress);
    // A flood of registrations must not cost a walk through the table each.
    if (this.#bindings.get(key)?.expiresAt === this.#nextExpiryAt) this.#nextExpiryAt = undefined;
    this.#bindings.delete(key);
  }

  /** Removes and returns every binding whose lifetime is over. */
  expire(now: InstantMs): readonly Binding[] {
    const expired = [...this.#bindings.values()].filter(({ expiresAt }) => expiresAt <= now);
    for (const { homeAddress } of expired) this.remove(homeAddress);
    return expired;
  }

  /** When the next binding ends; undefined when there is none. */
  nextExpiry(): InstantMs | undefined {
    if (this.#bindings.size === 0) return undefined;
    this.#nextExpiryAt ??= [...this.#bindings.values()].reduce(
      (earliest, { expiresAt }) => Math.min(earliest, expiresAt),
      Number.POSITIVE_INFINITY,
    );
    return this.#nextExpiryAt;
  }
}
