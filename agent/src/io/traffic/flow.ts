/** A flow: requests at a steady pace for as long as somebody wants to see what becomes of them, told while it goes on. */

import type { FlowPacket } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";
import type { AnswerSink, TrainSocket } from "./train.ts";

export interface FlowRequest {
  readonly intervalMs: number;
  /** How long a request may stay unanswered before it is lost. */
  readonly timeoutMs: number;
}

export interface Flow {
  /** Sends no more; settles when every request is told of. */
  stop(): Promise<void>;
}

/** What is known is told this often. */
const TELL_EVERY_MS = 100;

/** Opens a socket and sends through it until told to stop. `tell` gets the requests whose fate is known, each once. */
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
    // Against the start and not the last request: a late timer does not slow the pace down.
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

/** Requests whose fate is open, and those whose fate nobody was told yet. */
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
    /** What became known since the last time; whatever has waited too long is lost. */
    take(at: InstantMs): readonly FlowPacket[] {
      for (const [sequence, sentAtMs] of open)
        if (at - sentAtMs >= timeoutMs) settle(sequence, { sentAtMs, rttMs: null });
      const taken = known;
      known = [];
      return taken;
    },
    /** Waits until no fate is open; `take` goes on meanwhile. */
    settled: (): Promise<void> =>
      new Promise((resolve) => {
        onSettled = resolve;
        if (open.size === 0) resolve();
      }),
  };
}
