/** Finds the line of a text that a rule loader's error message refers to. */

/** How the tools refer to a line: `ip -batch`, `nft -f`, and the variants of iptables-restore. */
const LINE_PATTERNS = [
  /Command failed (?:-|\S+):(\d+)/,
  /^(?:\/dev\/stdin|<stdin>|stdin|-):(\d+):/m,
  /\bline:? (\d+)/i,
] as const;

/** The line with its number, such as `line 3: -A INPUT …`; undefined when the message names none. */
export function offendingLine(text: string, stderr: string): string | undefined {
  for (const pattern of LINE_PATTERNS) {
    const number = pattern.exec(stderr)?.[1];
    if (number === undefined) continue;
    const line = text.split("\n")[Number(number) - 1];
    return line === undefined ? undefined : `line ${number}: ${line}`;
  }
  return undefined;
}

/** Describes a loader's refusal: the command, its error message, and the offending line. */
export function describeRefusal(command: string, text: string, stderr: string): string {
  const line = offendingLine(text, stderr);
  return [`${command} failed: ${stderr.trim()}`, ...(line === undefined ? [] : [line])].join("\n");
}
