/** Durations as people write them: `400ms`, `2s`, `1.5s`, `2m`. */

export const DURATION_PATTERN = /^\d+(\.\d+)?(ms|s|m)$/;

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Milliseconds of a text that matches `DURATION_PATTERN`; throws RangeError for any other. */
export function durationMs(text: string): number {
  const unit = /(ms|s|m)$/.exec(text)?.[1] ?? "";
  const factor = MS_PER_UNIT[unit];
  if (factor === undefined || !DURATION_PATTERN.test(text)) throw new RangeError(`not a duration: ${text}`);
  return Number(text.slice(0, -unit.length)) * factor;
}

/** A duration as a file may write it: `400ms`, `1.5s`, `2s`. */
export function formatDuration(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}
