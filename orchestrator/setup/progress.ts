/** What set-up tells its user: a line for each thing done, and a sign of life while something takes long. */

/** Takes one line of progress, without its newline. */
export type Say = (line: string) => void;

const SIGN_OF_LIFE_MS = 5000;

/** Waits for `work`, saying every few seconds that it is still under way. */
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
