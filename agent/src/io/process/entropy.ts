/** The node's random numbers, derived from the lab's seed so that a run can be repeated. */

import { createHmac } from "node:crypto";
import type { Rng } from "../../core/machine.ts";

/** A generator of octets: HMAC-SHA-256 of a counter under the seed, concatenated. `seedHex` is octets in hex. */
export function createSeededRng(seedHex: string): Rng {
  const seed = Buffer.from(seedHex, "hex");
  let counter = 0n;
  let pool = Buffer.alloc(0);
  const refill = (): Buffer => {
    const block = Buffer.alloc(8);
    block.writeBigUInt64BE(counter);
    counter += 1n;
    return createHmac("sha256", seed).update(block).digest();
  };
  return {
    bytes(length) {
      while (pool.length < length) pool = Buffer.concat([pool, refill()]);
      const drawn = Uint8Array.from(pool.subarray(0, length));
      pool = pool.subarray(length);
      return drawn;
    },
  };
}
