/** What a host runs, in a few words. */

import type { ProgramSource } from "../model/resolved.ts";

interface Program {
  readonly source: ProgramSource;
  readonly command?: readonly string[] | undefined;
}

/** Longer than most command lines, short enough for a picture. */
const MOST_LETTERS = 40;

/** `debian:12`, `image built from stack`, `python3 peer.py`. */
export function describeProgram({ source, command = [] }: Program): string {
  switch (source.type) {
    case "image":
      return source.image;
    case "build":
      return `image built from ${source.folder.split("/").at(-1) ?? ""}`;
    case "machine":
      return shortened(spoken(command).join(" "));
  }
}

/** A line for the shell as it was written. */
function spoken(command: readonly string[]): readonly string[] {
  const [shell, flag, line] = command;
  return shell === "/bin/sh" && flag === "-c" && line !== undefined ? [line] : command;
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MOST_LETTERS ? `${line.slice(0, MOST_LETTERS - 1)}…` : line;
}
