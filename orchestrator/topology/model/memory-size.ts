/** Sizes of memory as people write them: `64MiB`, `2GiB`. */

export const MEMORY_PATTERN = /^\d+(MiB|GiB)$/;

/** Mebibytes of a text that matches `MEMORY_PATTERN`; throws RangeError for any other. */
export function memoryMiBOf(text: string): number {
  if (!MEMORY_PATTERN.test(text)) throw new RangeError(`not a size of memory: ${text}`);
  return Number(text.slice(0, -3)) * (text.endsWith("GiB") ? 1024 : 1);
}
