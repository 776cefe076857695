/** The possible verdicts. */

/** Whether an expectation was met. */
export const EXPECTATION_VERDICTS = ["pass", "fail"] as const;
export type ExpectationVerdict = (typeof EXPECTATION_VERDICTS)[number];

/** The verdict of a run; `error` when it was aborted. */
export const VERDICTS = [...EXPECTATION_VERDICTS, "error"] as const;
export type Verdict = (typeof VERDICTS)[number];
