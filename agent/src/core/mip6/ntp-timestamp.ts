/** Timestamps in NTP format: 32 bits of seconds since 1900 and 32 bits of a second's fraction (RFC 5905 section 6). */

/** Unix time 0 in seconds since 1900. */
const UNIX_EPOCH_SEC = 2_208_988_800n;

const FRACTIONS_OF_SECOND = 2 ** 32;

/** One second. */
export const NTP_SECOND = 1n << 32n;

/** The timestamp of a Unix time in milliseconds, modulo the 136 years of an NTP era. */
export function ntpTimestamp(unixMs: number): bigint {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor((unixMs / 1000 - seconds) * FRACTIONS_OF_SECOND);
  return BigInt.asUintN(64, (BigInt(seconds) + UNIX_EPOCH_SEC) * NTP_SECOND + BigInt(fraction));
}

/** Milliseconds from one timestamp to another, less than zero when `to` is the earlier one. */
export function ntpElapsedMs(from: bigint, to: bigint): number {
  return (Number(BigInt.asIntN(64, to - from)) / FRACTIONS_OF_SECOND) * 1000;
}

/** The 32 bits of the fraction. */
export function ntpFraction(timestamp: bigint): bigint {
  return BigInt.asUintN(32, timestamp);
}
