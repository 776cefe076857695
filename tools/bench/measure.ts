/** Timing of whole processes in turn, so that drifting machine speed affects all contestants alike. */

import { execa } from "execa";
import type { Missing } from "./peer-programs.ts";

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** One contestant: a name, and the processes that make up one run of it. */
export interface Contestant {
  readonly name: string;
  /** Run in sequence; their times are added. */
  readonly commands: readonly Command[];
  readonly cwd?: string;
}

/** Figures of every counted round, in order; none if a program is missing, with the command that installs it. */
export interface Series {
  readonly name: string;
  readonly unit: "s" | "CPU s" | "ms" | "µs" | "MB" | "Mbit/s" | "labs";
  readonly values: readonly number[];
  readonly missing?: string;
}

/** The series of a program that is not installed. */
export function notMeasured(name: string, unit: Series["unit"], { missing }: Missing): Series {
  return { name, unit, values: [], missing };
}

/** Runs the contestants in turn, A B A B …, after one uncounted round. Throws when a command fails. */
export async function timeInTurn(contestants: readonly Contestant[], rounds: number): Promise<readonly Series[]> {
  const seconds = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const elapsed = await timeOnce(contestant);
      if (round > 0) seconds[i]?.push(elapsed);
    }
  }
  return contestants.map(({ name }, i) => ({ name, unit: "s", values: seconds[i] ?? [] }));
}

/** Middle value of an unsorted list; the mean of the two middle ones when the count is even. NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The value below which this share of an unsorted list is. NaN for an empty list. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Ratios of two series that were measured in turn, round by round. */
export function ratios(a: Series, b: Series): readonly number[] {
  return a.values.map((value, i) => value / (b.values[i] ?? Number.NaN));
}

async function timeOnce({ commands, cwd }: Contestant): Promise<number> {
  const startedAt = performance.now();
  for (const [file, ...args] of commands) {
    await execa(file, args, { ...(cwd === undefined ? {} : { cwd }), stdin: "ignore", stdout: "ignore" });
  }
  return (performance.now() - startedAt) / 1000;
}
