/** Progress output of set-up: a line for each step, and a sign of life during long ones. */

/** Prints one line of progress, passed without its newline. */
export type Say = (line: string) => void;

const SIGN_OF_LIFE_MS = 5000;

/** Awaits `work`, printing every few seconds that it is still under way. */
export async function withSignOfLife<T>(say: Say, doing: string, work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    say(`  … still ${doing} (${Math.round((performance.now() - startedAt) / 1000)} s)`);
  }, SIGN_OF_LIFE_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
