/** The nonces of a correspondent node (RFC 6275 section 5.2.2): renewed often, kept while their tokens are valid. */

import type { InstantMs, Rng } from "../machine.ts";
import { MAX_NONCE_LIFETIME_MS } from "./return-routability.ts";

/** A nonce and its index in messages, 1..65535. */
export interface Nonce {
  readonly index: number;
  readonly octets: Uint8Array;
}

const ROTATION_MS = 30_000;
const KEPT_NONCES = 8;
const NONCE_LENGTH = 8;
const MAX_INDEX = 0xffff;

/** A nonce is made when one is needed and the newest is 30 s old; eight are kept, none longer than 240 s. */
export class NonceTable {
  readonly #rng: Rng;
  #nonces: readonly (Nonce & { readonly madeAt: InstantMs })[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** The nonce for new tokens. */
  current(now: InstantMs): Nonce {
    const newest = this.#nonces.at(-1);
    if (newest !== undefined && now - newest.madeAt < ROTATION_MS) return newest;
    const index = newest === undefined ? this.#firstIndex() : (newest.index % MAX_INDEX) + 1;
    const nonce = { index, octets: this.#rng.bytes(NONCE_LENGTH), madeAt: now };
    this.#nonces = [...this.#nonces, nonce].slice(-KEPT_NONCES);
    return nonce;
  }

  /**
   * A node that was restarted must not know the indices of before: an update with a token of an old nonce would fail its
   * authentication and be dropped in silence, where an unknown index is answered, and new tokens are fetched.
   */
  #firstIndex(): number {
    const [high = 0, low = 0] = this.#rng.bytes(2);
    return (high * 256 + low) % MAX_INDEX || MAX_INDEX;
  }

  /** The nonce with this index while its tokens are valid; undefined once it expired. */
  find(now: InstantMs, index: number): Uint8Array | undefined {
    return this.#nonces.find((nonce) => nonce.index === index && now - nonce.madeAt < MAX_NONCE_LIFETIME_MS)?.octets;
  }
}
