/** Turns every polite way to end this process into one `AbortSignal`, so that whoever made something can undo it. */

import { watchAncestry } from "./ancestry.ts";
import { TestbedError } from "./errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Signals closer together than this are one wish: Ctrl-C reaches this process from the terminal, once more through npm,
 * and then npm is gone.
 */
const SIGNAL_DEBOUNCE_MS = 1000;

export interface Interruption {
  /** Aborted at the first signal, or when npm is gone; the reason is a `TestbedError`, with code `interrupted` for these. */
  readonly signal: AbortSignal;
  /** Why not everything that was said could be written, as on a full disk: `output-failed`, which aborts `signal` too. */
  outputError(): TestbedError | undefined;
  /** Gives signals their usual effect again. */
  readonly stop: () => void;
}

/**
 * Listens until `stop`. A second signal, a second or more after the first, ends the process at once with exit code 130: what it leaves is the watchdog's.
 * Output nobody reads any more (a closed pipe) is no error: it must not keep the cleanup from running.
 */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let interruptedAt = Number.POSITIVE_INFINITY;
  let outputError: TestbedError | undefined;
  const interrupt = (cause: string): void => {
    if (controller.signal.aborted) return;
    interruptedAt = performance.now();
    controller.abort(new TestbedError("interrupted", `interrupted by ${cause}`));
  };
  const onOutputError = (stream: NodeJS.WriteStream) => (error: NodeJS.ErrnoException) => {
    // A terminal that is gone says EIO, and so does a disk that is broken.
    if (error.code === "EPIPE" || (error.code === "EIO" && stream.isTTY)) return;
    outputError ??= new TestbedError("output-failed", `expected to be able to write the output: ${error.message}`);
    controller.abort(outputError);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (performance.now() - interruptedAt > SIGNAL_DEBOUNCE_MS) process.exit(130);
    interrupt(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const stopWatching = watchAncestry(() => interrupt("the end of npm"));
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onOutputError(stream));
  return {
    signal: controller.signal,
    outputError: () => outputError,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      stopWatching();
    },
  };
}
