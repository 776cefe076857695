/** Measures how long nothing was heard, in this process's own time. */

export interface SilenceWatch {
  /** Begins to watch, also again after `stop`; while it watches it changes nothing. */
  start(): void;
  heard(): void;
  stop(): void;
}

const TICK_MS = 250;

/**
 * Calls `onSilence` every `TICK_MS` with the length of the silence. Time in which this process did not run is not
 * counted: on an overloaded machine what was said in it may still be waiting to be read.
 */
export function createSilenceWatch(onSilence: (silentMs: number) => void): SilenceWatch {
  let timer: NodeJS.Timeout | undefined;
  let silentMs = 0;
  return {
    start() {
      timer ??= setInterval(() => {
        silentMs += TICK_MS;
        onSilence(silentMs);
      }, TICK_MS).unref();
    },
    heard: () => void (silentMs = 0),
    stop() {
      clearInterval(timer);
      timer = undefined;
      silentMs = 0;
    },
  };
}
