/** Reproducible numbers derived from a topology's seed, an independent one for each label. Not secrets. */

/** A 32-bit number derived from the run's seed and a label such as `nat-a/ports`. */
export function derivedNumber(seed: number, label: string): number {
  return derivedSequence(seed, label)();
}

/** Octets as lower-case hex, derived from the run's seed and a label. */
export function derivedHex(seed: number, label: string, octets: number): string {
  const next = derivedSequence(seed, label);
  return Array.from({ length: octets }, () => (next() & 0xff).toString(16).padStart(2, "0")).join("");
}

/** An endless sequence of 32-bit numbers (sfc32) whose 128 bits of state are four hashes of seed and label. */
export function derivedSequence(seed: number, label: string): () => number {
  const text = `${seed}/${label}`;
  let [a = 0, b = 0, c = 0, counter = 0] = [1, 2, 3, 4].map((salt) => fnv1a(`${salt}/${text}`));
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 15; i += 1) next();
  return next;
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** Seed of the hash by which a NAT chooses one of its outside addresses; not zero, for which nft would draw one. */
export function poolSeed(natSeed: number): number {
  return derivedNumber(natSeed, "outside address") || 1;
}
