/** Turns every catchable way to end this process into one `AbortSignal`, so that what was made can be removed. */

import { watchAncestry } from "./ancestry.ts";
import { TestbedError } from "./errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Signals closer together than this count as one: Ctrl-C reaches this process from the terminal, again through npm, and
 * then npm exits.
 */
const SIGNAL_DEBOUNCE_MS = 1000;

export interface Interruption {
  /**
   * Aborted at the first signal, or when npm is gone; the reason is a `TestbedError`, with code `interrupted` for
   * these.
   */
  readonly signal: AbortSignal;
  /** Why output could not be written, as on a full disk: `output-failed`, which aborts `signal` too. */
  outputError(): TestbedError | undefined;
  /** Restores the default effect of signals. */
  readonly stop: () => void;
}

/** Rejects with the reason once the signal is aborted. */
export function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Listens until `stop`. A second signal, a second or more after the first, ends the process at once, as one without
 * listener would (shells report 130): the watchdog removes what is left. A closed output pipe is no error: it must not keep the cleanup from running.
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
    // EIO comes from a closed terminal, but also from a broken disk.
    if (error.code === "EPIPE" || (error.code === "EIO" && stream.isTTY)) return;
    outputError ??= new TestbedError("output-failed", `expected to be able to write the output: ${error.message}`);
    controller.abort(outputError);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (performance.now() - interruptedAt > SIGNAL_DEBOUNCE_MS) {
      // `process.exit` waits for calls to the file system, which may be what does not end.
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    }
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
