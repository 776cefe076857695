/**
 * Everything that this program prints. Text may come from topology files, nodes, host programs and the engine, so each
 * line is written in characters that show: nothing of it can move the cursor, colour text or pass for another line.
 */

import { randomInt } from "node:crypto";
import picocolors from "picocolors";
import type { Paint } from "../report/table.ts";
import { printableLine } from "../topology/model/printable.ts";
import type { CommandContext } from "./context.ts";

/** A stream that lines are written to. */
export type OutputStream = Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">;

const ESCAPE = "\u001b";

/** Returns to the first column and erases the line, so that the next line replaces a status line. */
const ERASE_LINE = `\r${ESCAPE}[K`;

/** In our own colour sequences until they are printed, so that what a program prints is never taken for one of them. */
const MARK = `;${randomInt(2 ** 47)}m`;

/** What `paintFor` adds to text; without the mark, the only sequences that reach a terminal. */
const COLOUR = new RegExp(`${ESCAPE}\\[(\\d+)${MARK}`);

/** The printing part of a context: requested output on `output`, progress on `progress`. */
export function printTo(
  output: OutputStream,
  progress: OutputStream,
  environment: NodeJS.ProcessEnv,
): Pick<CommandContext, "print" | "printJson" | "say" | "status" | "paint"> {
  const hasColours = progress.isTTY && environment["NO_COLOR"] === undefined;
  const shown = (line: string): string => (hasColours ? printableInColours(line) : printableLine(line));
  const erase = progress.isTTY ? ERASE_LINE : "";
  const status = (line: string): void =>
    void progress.write(erase + printableLine(line).slice(0, progress.columns - 1));
  return {
    print: (line) => void output.write(`${shown(line)}\n`),
    printJson: (value) => writeLines(output, JSON.stringify(value, null, 2)),
    say: (line) => void progress.write(`${erase}${shown(line)}\n`),
    ...(progress.isTTY ? { status } : {}),
    paint: paintFor(hasColours),
  };
}

/** Writes text of several lines. */
export function writeLines(stream: Pick<OutputStream, "write">, text: string): void {
  stream.write(
    text
      .split("\n")
      .map((line) => `${printableLine(line)}\n`)
      .join(""),
  );
}

function paintFor(hasColours: boolean): Paint {
  const { green, red, dim, bold } = picocolors.createColors(hasColours);
  return { good: marked(green), bad: marked(red), faint: marked(dim), strong: marked(bold) };
}

/** The same colours, with the mark in the sequences before and after a text. */
function marked(colour: (text: string) => string): (text: string) => string {
  const [begin = "", end = ""] = colour(" ")
    .split(" ")
    .map((sequence) => sequence.replace(/m$/, MARK));
  return (text) => begin + text + end;
}

function printableInColours(line: string): string {
  return line
    .split(COLOUR)
    .map((part, i) => (i % 2 === 0 ? printableLine(part) : `${ESCAPE}[${part}m`))
    .join("");
}
