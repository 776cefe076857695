/** Result of decoding octets from the network. Decoders return it and never throw. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeError };

/** Why octets were refused: a stable code, and the offset where decoding stopped. */
export interface DecodeError {
  readonly code: string;
  readonly offset: number;
}

/** Wraps a decoded value. */
export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

/** Refuses octets with a code and the offset of the error. */
export function malformed(code: string, offset: number): Decoded<never> {
  return { ok: false, error: { code, offset } };
}
