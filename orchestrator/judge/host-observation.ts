/** What was observed of the programs of hosts: a fold over a run's record. */

import type { HostWord, LabEvent } from "../lab/lab-event.ts";
import type { HostRecord } from "../lab/lab-record.ts";

export interface HostObservation extends Omit<HostRecord, "log"> {
  /** Milliseconds since 1970, of its latest start; absent if it was never started. */
  readonly startedAt?: number;
  /** When it was first ready. */
  readonly readyAt?: number;
  /** When it last ended, by itself or by the testbed. */
  readonly endedAt?: number;
  /** What its program last said of its own path; absent if it said nothing. */
  readonly said?: HostWord;
  /** The last lines of its output. */
  readonly lastLines: readonly string[];
}

/** Lines that a result keeps of a program's output, and characters of each. */
const LAST_LINES = 20;
const LONGEST_LINE = 500;

export function observeHosts(hosts: readonly HostRecord[], events: readonly LabEvent[]): readonly HostObservation[] {
  return hosts.map(({ log, ...host }) => {
    const own = events.filter((event) => "node" in event && event.node === host.name);
    const startedAt = own.findLast(({ type }) => type === "host-started")?.at;
    const readyAt = own.find(({ type }) => type === "host-ready")?.at;
    const endedAt = own.findLast(({ type }) => type === "host-exited" || type === "host-ended")?.at;
    const said = own.findLast((event) => event.type === "host-said")?.word;
    return {
      ...host,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(readyAt === undefined ? {} : { readyAt }),
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(said === undefined ? {} : { said }),
      lastLines: lastLinesOf(log, LAST_LINES),
    };
  });
}

function lastLinesOf(log: string, most: number): readonly string[] {
  const text = log.slice(-most * LONGEST_LINE).trimEnd();
  if (text === "") return [];
  return text
    .split("\n")
    .slice(-most)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line));
}
