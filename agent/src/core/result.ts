/** Outcome of decoding bytes that came from the network: decoders return this and never throw. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeError };

/** Why bytes were refused: a stable code, and the octet offset where reading stopped. */
export interface DecodeError {
  readonly code: string;
  readonly offset: number;
}

/** Wraps a decoded value. */
export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

/** Refuses bytes with a code and the offset where the fault lies. */
export function malformed(code: string, offset: number): Decoded<never> {
  return { ok: false, error: { code, offset } };
}
