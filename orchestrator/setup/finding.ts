/** What `setup --check` reports about the machine, one line for each finding. */

export interface Finding {
  readonly state: "ok" | "missing";
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The lines to print; a finding of several runtimes is printed once. */
export function formatFindings(findings: readonly Finding[]): readonly string[] {
  const lines = findings.map(({ state, text, hint }) => {
    const line = `${state.padEnd(8)} ${text}`;
    return hint === undefined ? line : `${line}\n         → ${hint}`;
  });
  return [...new Set(lines)].flatMap((line) => line.split("\n"));
}

/** Whether nothing is missing. */
export function isComplete(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state === "ok");
}
