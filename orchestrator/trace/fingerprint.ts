/** Octets at both ends of a content that its fingerprint covers. */
const COVERED_START = 96;
const COVERED_END = 32;

/** FNV-1a. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A number that is equal for equal contents, and seldom for others. */
export function fingerprintOf(content: Uint8Array, sequence: number): number {
  const end = content.length;
  let hash = FNV_OFFSET ^ sequence ^ end;
  for (let i = 0; i < Math.min(COVERED_START, end); i += 1) hash = Math.imul(hash ^ (content[i] ?? 0), FNV_PRIME);
  for (let i = Math.max(COVERED_START, end - COVERED_END); i < end; i += 1)
    hash = Math.imul(hash ^ (content[i] ?? 0), FNV_PRIME);
  return hash;
}
