/** Records every event of a run, passes each on as it arrives, and lets a step wait for events. */

import type { LabEvent, LabEventBody } from "./lab-event.ts";

export interface Recorder {
  /** All events so far, in the order of arrival. */
  readonly events: readonly LabEvent[];
  /** Records an event of this program, at the current time. */
  readonly add: (body: LabEventBody) => void;
  /** The current time, milliseconds since 1970. */
  readonly now: () => number;
  /** Records an event that carries its time. */
  readonly addAt: (at: number, body: LabEventBody) => void;
  /** Waits until `isThere` holds for the events so far; false if it does not within `timeoutMs`. */
  until(isThere: (events: readonly LabEvent[]) => boolean, timeoutMs: number): Promise<boolean>;
}

/** `now` returns milliseconds since 1970. */
export function createRecorder(now: () => number, onEvent: (event: LabEvent) => void): Recorder {
  const events: LabEvent[] = [];
  const waiting = new Set<() => void>();
  let isLookDue = false;
  // Once for all events that arrive together: who waits may look through all there are.
  const lookSoon = (): void => {
    if (isLookDue || waiting.size === 0) return;
    isLookDue = true;
    setImmediate(() => {
      isLookDue = false;
      for (const look of waiting) look();
    });
  };
  const addAt = (at: number, body: LabEventBody): void => {
    const event = { at, ...body };
    events.push(event);
    onEvent(event);
    lookSoon();
  };
  return {
    events,
    now,
    add: (body) => addAt(now(), body),
    addAt,
    until: (isThere, timeoutMs) =>
      new Promise((resolve) => {
        const end = (found: boolean): void => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        const look = (): void => {
          if (isThere(events)) end(true);
        };
        const timer = setTimeout(() => end(false), timeoutMs);
        waiting.add(look);
        look();
      }),
  };
}
