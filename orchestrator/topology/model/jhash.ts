/** The hash of nft's `jhash` (Linux include/linux/jhash.h, on a little-endian machine), to predict what it chooses. */

const INITIAL = 0xdeadbeef;

/** A number from 0 to below `modulus`, of one or two IPv4 addresses: `jhash a . b mod <modulus> seed <seed>`. */
export function jhash(addresses: readonly [string] | readonly [string, string], modulus: number, seed: number): number {
  const start = (INITIAL + 4 * addresses.length + seed) | 0;
  const [first = 0, second = 0] = addresses.map(littleEndian);
  const hash = mixed((start + first) | 0, (start + second) | 0, start);
  return Number((BigInt(hash >>> 0) * BigInt(modulus)) >> 32n);
}

function littleEndian(ip: string): number {
  return ip.split(".").reduceRight((sum, octet) => (sum << 8) | Number(octet), 0);
}

/** `__jhash_final` */
function mixed(firstWord: number, secondWord: number, start: number): number {
  let [a, b, c] = [firstWord, secondWord, start];
  c = ((c ^ b) - rotated(b, 14)) | 0;
  a = ((a ^ c) - rotated(c, 11)) | 0;
  b = ((b ^ a) - rotated(a, 25)) | 0;
  c = ((c ^ b) - rotated(b, 16)) | 0;
  a = ((a ^ c) - rotated(c, 4)) | 0;
  b = ((b ^ a) - rotated(a, 14)) | 0;
  return ((c ^ b) - rotated(b, 24)) | 0;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
