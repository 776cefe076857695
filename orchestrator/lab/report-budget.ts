/** How much a node may report: one that reports without end takes the memory that all results of the run need. */

/** Limits of one node in one run, captures and flows not counted. */
interface ReportLimits {
  readonly count: number;
  /** Within a second. */
  readonly countPerSec: number;
  readonly octets: number;
}

/** Fifty sessions at one node come to some thousand reports. */
const REPORT_LIMITS: ReportLimits = { count: 100_000, countPerSec: 10_000, octets: 64_000_000 };

export interface ReportBudget {
  /** Counts a report of so many octets. Returns what the node has done if that is too much. */
  take(nowMs: number, octets: number): string | undefined;
}

export function createReportBudget(limits: ReportLimits = REPORT_LIMITS): ReportBudget {
  let count = 0;
  let octets = 0;
  let second = { startMs: Number.NEGATIVE_INFINITY, count: 0 };
  return {
    take(nowMs, size) {
      count += 1;
      octets += size;
      if (nowMs - second.startMs >= 1000) second = { startMs: nowMs, count: 0 };
      second.count += 1;
      if (second.count > limits.countPerSec)
        return `it reported more than ${limits.countPerSec} events within a second`;
      if (count > limits.count) return `it reported more than ${limits.count} events`;
      return octets > limits.octets ? `its events came to more than ${limits.octets} octets` : undefined;
    },
  };
}
