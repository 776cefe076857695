/** A command's access to the outside, passed down from `cli.ts`. */

import type { Paint } from "../report/table.ts";

export interface CommandContext {
  /** Writes one line of requested output: tables, text. */
  readonly print: (line: string) => void;
  /** Writes a value as requested output. */
  readonly printJson: (value: unknown) => void;
  /** Writes one line of progress. */
  readonly say: (line: string) => void;
  /** Shows a line that the next one replaces and an empty one removes; absent where output cannot be erased. */
  readonly status?: (line: string) => void;
  /** Colours for `print`; none where they are not supported. */
  readonly paint: Paint;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Base of the user's relative paths. */
  readonly directory: string;
}

/** The result of a command: the program's exit code. Errors are thrown and printed in `cli.ts`. */
export type ExitCode = number;
