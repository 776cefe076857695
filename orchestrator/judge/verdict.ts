/** The possible verdicts. */

/** Whether an expectation was met; `undetermined` where too little was seen to tell. */
export const EXPECTATION_VERDICTS = ["pass", "fail", "undetermined"] as const;
export type ExpectationVerdict = (typeof EXPECTATION_VERDICTS)[number];

/** The verdict of a run: `fail` when an expectation was not met, `error` when it was aborted. */
export const VERDICTS = ["pass", "fail", "error"] as const;
export type Verdict = (typeof VERDICTS)[number];
