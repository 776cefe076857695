/**
 * Offers of one peer by cookie: repeated ones get the stored answer, lost ones of a crossing remain without one
 * . Stores a few; the oldest is dropped first.
 */

/** State of an offer with a known cookie. */
export type OfferRecord =
  /** Its candidates are being gathered: the answer will follow. */
  | { readonly type: "pending" }
  /** It lost against this node's own offer. */
  | { readonly type: "lost" }
  /** It arrived just after this node's offer was answered: ignored once, accepted when it is repeated. */
  | { readonly type: "straggler" }
  /** The complete Mobility Header of the answer. */
  | { readonly type: "answered"; readonly header: Uint8Array };

const MAX_RECORDS = 8;

/** The last few offers of one peer. */
export class AnswerBook {
  readonly #records = new Map<string, OfferRecord>();

  find(cookie: Uint8Array): OfferRecord | undefined {
    return this.#records.get(keyOf(cookie));
  }

  record(cookie: Uint8Array, record: OfferRecord): void {
    const key = keyOf(cookie);
    this.#records.delete(key);
    this.#records.set(key, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= MAX_RECORDS) break;
      this.#records.delete(oldest);
    }
  }

  /** Removes a pending offer, so that a repetition counts as new. */
  forget(cookie: Uint8Array): void {
    this.#records.delete(keyOf(cookie));
  }
}

function keyOf(cookie: Uint8Array): string {
  return String.fromCharCode(...cookie);
}
