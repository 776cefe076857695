/** Finds in a loader's complaint the line of the text that it complains about. */

/** How the tools name a line: `ip -batch`, `nft -f`, and the various ways of iptables-restore. */
const LINE_PATTERNS = [
  /Command failed (?:-|\S+):(\d+)/,
  /^(?:\/dev\/stdin|<stdin>|stdin|-):(\d+):/m,
  /\bline:? (\d+)/i,
] as const;

/** The line with its number, such as `line 3: -A INPUT …`; undefined when the tool names none. */
export function offendingLine(text: string, stderr: string): string | undefined {
  for (const pattern of LINE_PATTERNS) {
    const number = pattern.exec(stderr)?.[1];
    if (number === undefined) continue;
    const line = text.split("\n")[Number(number) - 1];
    return line === undefined ? undefined : `line ${number}: ${line}`;
  }
  return undefined;
}

/** What to say when a loader refused its text: the command, what it said, and the line it means. */
export function describeRefusal(command: string, text: string, stderr: string): string {
  const line = offendingLine(text, stderr);
  return [`${command} failed: ${stderr.trim()}`, ...(line === undefined ? [] : [line])].join("\n");
}
