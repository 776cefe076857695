/** Joins the fragments of IP packets (RFC 791 section 3.2, RFC 8200 section 4.5). */

export interface Fragment {
  /** Equal for all fragments of a packet. */
  readonly key: string;
  /** Octets of the packet's payload before it. */
  readonly offset: number;
  readonly hasMore: boolean;
  readonly part: Uint8Array;
}

export interface Reassembly {
  /** The payload of the packet that a fragment completes. */
  add(fragment: Fragment): Uint8Array | undefined;
}

/** Packets whose fragments are kept; the oldest is given up for another one. */
const MOST_OPEN = 64;

export function createReassembly(): Reassembly {
  const open = new Map<string, Fragment[]>();
  return {
    add(fragment) {
      const { key } = fragment;
      const parts = [...(open.get(key) ?? []), fragment];
      open.set(key, parts);
      const whole = join(parts);
      if (whole !== undefined) open.delete(key);
      const [oldest] = open.keys();
      if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
      return whole;
    },
  };
}

/** Undefined while a part is missing. */
function join(fragments: readonly Fragment[]): Uint8Array | undefined {
  const inOrder = fragments.toSorted((a, b) => a.offset - b.offset);
  const last = inOrder.at(-1);
  if (last === undefined || last.hasMore) return undefined;
  const whole = new Uint8Array(last.offset + last.part.length);
  let end = 0;
  for (const { offset, part } of inOrder) {
    if (offset > end) return undefined;
    whole.set(part, offset);
    end = Math.max(end, offset + part.length);
  }
  return whole;
}
