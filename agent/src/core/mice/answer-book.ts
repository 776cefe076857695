/**
 * Offers of one peer by their cookie: repeated ones get the stored answer, lost ones of a crossing stay without
 * one. Holds a few; the oldest goes first.
 */

/** What is to be done about an offer with a known cookie. */
export type OfferRecord =
  /** Its candidates are being gathered: the answer will come. */
  | { readonly type: "pending" }
  /** It lost against this node's own offer. */
  | { readonly type: "lost" }
  /** It came just after this node's own offer was answered: ignored once, taken when it is repeated. */
  | { readonly type: "straggler" }
  /** The whole Mobility Header of the answer. */
  | { readonly type: "answered"; readonly header: Uint8Array };

export interface AnswerBook {
  find(cookie: Uint8Array): OfferRecord | undefined;
  record(cookie: Uint8Array, record: OfferRecord): void;
  /** Drops an offer that was pending, so that a repetition counts as new. */
  forget(cookie: Uint8Array): void;
}

const MAX_RECORDS = 8;

export function createAnswerBook(): AnswerBook {
  const records = new Map<string, OfferRecord>();
  const keyOf = (cookie: Uint8Array): string => String.fromCharCode(...cookie);
  return {
    find: (cookie) => records.get(keyOf(cookie)),
    record(cookie, record) {
      const key = keyOf(cookie);
      records.delete(key);
      records.set(key, record);
      for (const oldest of records.keys()) {
        if (records.size <= MAX_RECORDS) break;
        records.delete(oldest);
      }
    },
    forget: (cookie) => void records.delete(keyOf(cookie)),
  };
}
