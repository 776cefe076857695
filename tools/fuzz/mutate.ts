/** Mutations of valid messages, accidental or malicious. */

import type { SeededRng } from "../../agent/src/testing/index.ts";

/** Longest input that mutations make: longer than any message, so that every length is also exceeded. */
const MAX_LENGTH = 4096;

/** The most that a UDP datagram over IPv6 can carry; used occasionally. */
const MAX_DATAGRAM = 65_527;
const ONE_HUGE_IN = 2048;

const MAX_MUTATIONS = 4;
const ONE_UNCHANGED_IN = 16;

const INTERESTING_OCTETS = [0, 1, 2, 3, 4, 7, 8, 16, 20, 28, 40, 59, 60, 0x7f, 0x80, 135, 0xfe, 0xff];
const INTERESTING_WORDS = [0, 1, 4, 8, 12, 20, 255, 256, 1024, 2048, 0x7fff, 0x8000, 0xa442, 0xfffc, 0xffff];
const INTERESTING_QUADS = [0, 1, 0x2112a442, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x5354554e];

type Mutation = (octets: Uint8Array, other: Uint8Array, rng: SeededRng) => Uint8Array;

/**
 * A mutated copy of `input`; `other` provides octets for splices. One in sixteen is returned unchanged, because an
 * order of valid messages can be hostile too.
 */
export function mutate(input: Uint8Array, other: Uint8Array, rng: SeededRng): Uint8Array {
  let octets = new Uint8Array(input);
  if (rng.integer(1, ONE_UNCHANGED_IN) === 1) return octets;
  const count = rng.integer(1, MAX_MUTATIONS);
  for (let i = 0; i < count; i++) {
    const mutation = MUTATIONS[rng.integer(0, MUTATIONS.length - 1)] ?? flipBit;
    octets = new Uint8Array(mutation(octets, other, rng).subarray(0, MAX_LENGTH));
  }
  return rng.integer(1, ONE_HUGE_IN) === 1 ? inflate(octets, rng) : octets;
}

const flipBit: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 1, (view, at) => view.setUint8(at, view.getUint8(at) ^ (1 << rng.integer(0, 7))));

const setOctet: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 1, (view, at) => view.setUint8(at, rng.integer(0, 255)));

const setInterestingOctet: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 1, (view, at) => view.setUint8(at, pick(INTERESTING_OCTETS, rng)));

const setInterestingWord: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 2, (view, at) => view.setUint16(at, pick(INTERESTING_WORDS, rng)));

const setInterestingQuad: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 4, (view, at) => view.setUint32(at, pick(INTERESTING_QUADS, rng)));

/** Changes an octet slightly: lengths and counts that are off by one, two, a unit. */
const nudge: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 1, (view, at) => view.setUint8(at, (view.getUint8(at) + rng.integer(-8, 8)) & 0xff));

/** Writes the actual length, or nearly, where a length field may be. */
const setLength: Mutation = (octets, _other, rng) =>
  changeAt(octets, rng, 2, (view, at) => {
    const rest = octets.length - pick([0, 20, 40, at, at + 2, at + 4], rng) + rng.integer(-4, 4);
    view.setUint16(at, Math.max(rest, 0) & 0xffff);
  });

const truncate: Mutation = (octets, _other, rng) => octets.subarray(0, rng.integer(0, octets.length));

const append: Mutation = (octets, _other, rng) => join(octets, rng.bytes(rng.integer(1, 32)));

const remove: Mutation = (octets, _other, rng) => {
  const [from, to] = span(octets, rng);
  return join(octets.subarray(0, from), octets.subarray(to));
};

const insert: Mutation = (octets, _other, rng) => {
  const at = rng.integer(0, octets.length);
  return join(octets.subarray(0, at), rng.bytes(rng.integer(1, 16)), octets.subarray(at));
};

/** Repeats a part in place, up to a hundred times: excessive options and attributes. */
const repeat: Mutation = (octets, _other, rng) => {
  const [from, to] = span(octets, rng);
  const times = pick([1, 2, 3, 16, 100], rng);
  const part = octets.subarray(from, to);
  return join(octets.subarray(0, to), ...Array.from({ length: times }, () => part), octets.subarray(to));
};

/** The start of one message and the end of another. */
const splice: Mutation = (octets, other, rng) =>
  join(octets.subarray(0, rng.integer(0, octets.length)), other.subarray(rng.integer(0, other.length)));

/** A part of another message over this one, at the same offset. */
const overlay: Mutation = (octets, other, rng) => {
  const [from, to] = span(other, rng);
  const copy = new Uint8Array(octets);
  copy.set(other.subarray(from, Math.max(from, Math.min(to, copy.length))), Math.min(from, copy.length));
  return copy;
};

/** A part of another message inserted between two octets of this one. */
const graft: Mutation = (octets, other, rng) => {
  const [from, to] = span(other, rng);
  const at = rng.integer(0, octets.length);
  return join(octets.subarray(0, at), other.subarray(from, to), octets.subarray(at));
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setOctet,
  setInterestingOctet,
  setInterestingWord,
  setInterestingQuad,
  nudge,
  nudge,
  setLength,
  truncate,
  append,
  remove,
  insert,
  repeat,
  splice,
  overlay,
  graft,
];

/** As long as a datagram can be: the octets repeated, with a length somewhere that claims all that follows. */
function inflate(octets: Uint8Array, rng: SeededRng): Uint8Array<ArrayBuffer> {
  const huge = new Uint8Array((MAX_DATAGRAM - rng.integer(0, 64)) & ~3);
  for (let at = 0; at < huge.length; at += Math.max(octets.length, 1))
    huge.set(octets.subarray(0, huge.length - at), at);
  const lengthAt = (rng.integer(0, octets.length) & ~3) + 2;
  new DataView(huge.buffer).setUint16(lengthAt, huge.length - lengthAt - 2);
  return huge;
}

function changeAt(
  octets: Uint8Array,
  rng: SeededRng,
  width: number,
  change: (view: DataView, at: number) => void,
): Uint8Array {
  if (octets.length < width) return octets;
  const copy = new Uint8Array(octets);
  change(new DataView(copy.buffer), rng.integer(0, copy.length - width));
  return copy;
}

/** Both ends of a part, aligned to four octets every other time. */
function span(octets: Uint8Array, rng: SeededRng): readonly [number, number] {
  const isAligned = rng.integer(0, 1) === 1;
  const ends = [rng.integer(0, octets.length), rng.integer(0, octets.length)].map((end) =>
    isAligned ? end & ~3 : end,
  );
  return [Math.min(...ends), Math.max(...ends)];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function pick(values: readonly number[], rng: SeededRng): number {
  return values[rng.integer(0, values.length - 1)] ?? 0;
}
