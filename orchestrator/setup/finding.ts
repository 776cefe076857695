/** What `setup --check` reports of the machine, one finding a line. */

export interface Finding {
  readonly state: "ok" | "missing";
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The lines to print; what several runtimes miss is said once. */
export function formatFindings(findings: readonly Finding[]): readonly string[] {
  const lines = findings.map(({ state, text, hint }) => {
    const line = `${state.padEnd(8)} ${text}`;
    return hint === undefined ? line : `${line}\n         → ${hint}`;
  });
  return [...new Set(lines)].flatMap((line) => line.split("\n"));
}

/** Whether a machine with these findings needs nothing more. */
export function isComplete(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state === "ok");
}
