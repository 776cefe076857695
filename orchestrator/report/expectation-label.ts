import type { RunResult } from "./run-result.ts";

/** What an expectation promises, and after which event. */
export function expectationLabel({ text, after }: RunResult["expectations"][number]): string {
  return after === undefined ? text : `after ${after}: ${text}`;
}
