/** Shares and rates as people write them: `1%`, `0.5%`; `20mbit`, `256kbit`. */

export const SHARE_PATTERN = /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/;

/** A share from 0 to 1 of a text that matches `SHARE_PATTERN`; throws RangeError for any other. */
export function shareOf(text: string): number {
  if (!SHARE_PATTERN.test(text)) throw new RangeError(`not a share: ${text}`);
  return Number(text.slice(0, -1)) / 100;
}

/** Units are decimal, as for all link rates. */
export const RATE_PATTERN = /^\d+(\.\d+)?[kmg]?bit$/;

const BITS_PER_UNIT: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** Bits a second of a text that matches `RATE_PATTERN`; throws RangeError for any other. */
export function bitPerSecOf(text: string): number {
  const unit = /[kmg]?bit$/.exec(text)?.[0] ?? "";
  const factor = BITS_PER_UNIT[unit];
  if (factor === undefined || !RATE_PATTERN.test(text)) throw new RangeError(`not a rate: ${text}`);
  return Number(text.slice(0, -unit.length)) * factor;
}
