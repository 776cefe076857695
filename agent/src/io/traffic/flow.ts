/** A flow: requests at a steady pace until it is stopped; results are reported meanwhile. */

import type { FlowPacket } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";
import type { AnswerSink, TrainSocket } from "./train.ts";

export interface FlowRequest {
  readonly intervalMs: number;
  /** After this time an unanswered request counts as lost. */
  readonly timeoutMs: number;
}

export interface Flow {
  /** Stops sending; settles when every request has been reported. */
  stop(): Promise<void>;
}

/** Interval of reports. */
const TELL_EVERY_MS = 100;

/** Opens a socket and sends through it until stopped. `tell` receives every request once, when its outcome is known. */
export function startFlow(
  { intervalMs, timeoutMs }: FlowRequest,
  open: (onAnswer: AnswerSink) => TrainSocket,
  now: () => InstantMs,
  tell: (packets: readonly FlowPacket[]) => void,
): Flow {
  const deliveries = trackDeliveries(timeoutMs);
  const socket = open((sequence) => deliveries.answered(sequence, now()));
  const startedAt = now();
  let next = 0;
  const send = (): void => {
    deliveries.sent(next, now());
    socket.send(next);
    next += 1;
    // Relative to the start, not to the last request: a late timer does not slow the pace down.
    sender = setTimeout(send, Math.max(0, startedAt + next * intervalMs - now()));
  };
  const tellNews = (): void => {
    const known = deliveries.take(now());
    if (known.length > 0) tell(known);
  };
  let sender = setTimeout(send, 0);
  const teller = setInterval(tellNews, TELL_EVERY_MS);
  return {
    async stop() {
      clearTimeout(sender);
      await deliveries.settled();
      clearInterval(teller);
      socket.close();
      tellNews();
    },
  };
}

/** Requests without an outcome yet, and outcomes not yet reported. */
function trackDeliveries(timeoutMs: number) {
  const open = new Map<number, InstantMs>();
  let known: FlowPacket[] = [];
  let onSettled: (() => void) | undefined;
  const settle = (sequence: number, packet: FlowPacket): void => {
    open.delete(sequence);
    known.push(packet);
    if (open.size === 0) onSettled?.();
  };
  return {
    sent: (sequence: number, at: InstantMs): void => void open.set(sequence, at),
    answered(sequence: number | undefined, at: InstantMs): void {
      const sentAtMs = sequence === undefined ? undefined : open.get(sequence);
      if (sequence !== undefined && sentAtMs !== undefined) settle(sequence, { sentAtMs, rttMs: at - sentAtMs });
    },
    /** Outcomes since the last call; requests past their timeout are lost. */
    take(at: InstantMs): readonly FlowPacket[] {
      for (const [sequence, sentAtMs] of open)
        if (at - sentAtMs >= timeoutMs) settle(sequence, { sentAtMs, rttMs: null });
      const taken = known;
      known = [];
      return taken;
    },
    /** Waits until every request has an outcome; `take` must be called meanwhile. */
    settled: (): Promise<void> =>
      new Promise((resolve) => {
        onSettled = resolve;
        if (open.size === 0) resolve();
      }),
  };
}
