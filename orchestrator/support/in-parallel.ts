/** Bounded parallel work. */

/**
 * Runs `work` for every item, at most `limit` at once, in the order of the items. Starts nothing new once `signal` is
 * aborted or a call has failed; settles when every call under way has ended, with the first failure if there is one.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of waiting) {
      if (signal.aborted || failures.length > 0) return;
      await work(item).catch((error: unknown) => void failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
