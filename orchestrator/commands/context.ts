/** What a command may touch of the world outside, handed down from `cli.ts`. */

import type { Paint } from "../report/table.ts";

export interface CommandContext {
  /** Writes one line of what was asked for: tables, texts, JSON. */
  readonly print: (line: string) => void;
  /** Writes one line about how things go. */
  readonly say: (line: string) => void;
  /** Shows a line that the next one replaces, an empty one removes it; absent where output cannot be taken back. */
  readonly status?: (line: string) => void;
  /** Colour for `print`, none where it would only be noise. */
  readonly paint: Paint;
  /** Aborted when the user wants an end. */
  readonly signal: AbortSignal;
  /** Where relative paths of the user start. */
  readonly directory: string;
}

/** What a command gives back: the exit code of the program. Errors are thrown and printed in `cli.ts`. */
export type ExitCode = number;
