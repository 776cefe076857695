/** Processors that do not sleep while something is measured. */

import { open } from "node:fs/promises";

/** Whoever holds it open says how many µs a sleeping processor may need to wake up, as a native 32-bit integer. */
const LATENCY_REQUEST = "/dev/cpu_dma_latency";

/** Why no processor can be kept awake here; undefined where it can. */
export async function sleepIsFixed(): Promise<string | undefined> {
  try {
    await (await open(LATENCY_REQUEST, "r+")).close();
    return undefined;
  } catch {
    return `${LATENCY_REQUEST} cannot be written: processors sleep as they like`;
  }
}

/**
 * Runs something while idle processors poll in place of sleeping, as cyclictest(8) does: what remains is the work, without
 * the time that the machine, or the host of a virtual one, takes to wake a processor.
 */
export async function withAwakeProcessors<T>(use: () => Promise<T>): Promise<T> {
  const request = await open(LATENCY_REQUEST, "r+");
  try {
    await request.write(new Uint8Array(Int32Array.of(0).buffer));
    return await use();
  } finally {
    await request.close();
  }
}
