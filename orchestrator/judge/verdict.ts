/** What judging can come to. */

/** Whether an expectation was met. */
export const EXPECTATION_VERDICTS = ["pass", "fail"] as const;
export type ExpectationVerdict = (typeof EXPECTATION_VERDICTS)[number];

/** What a run comes to; `error` when it could not be carried through. */
export const VERDICTS = [...EXPECTATION_VERDICTS, "error"] as const;
export type Verdict = (typeof VERDICTS)[number];
