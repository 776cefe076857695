/** Trains of numbered requests at a steady pace, with the round-trip time of each. */

import { setTimeout as sleep } from "node:timers/promises";
import type { TrafficResult } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";

export interface Train {
  readonly count: number;
  readonly intervalMs: number;
  /** How long to wait for answers after the last request. */
  readonly timeoutMs: number;
}

/** Receives the sequence number of an answer; undefined for any other packet. */
export type AnswerSink = (sequence: number | undefined) => void;

/** The socket that requests are sent through. */
export interface TrainSocket {
  send(sequence: number): void;
  close(): void;
}

/**
 * Opens a socket, sends `count` requests numbered from 0 and returns the round-trip time of each; ends early when all
 * are answered. Rejects when the socket cannot be opened.
 */
export async function sendTrain(
  { count, intervalMs, timeoutMs }: Train,
  open: (onAnswer: AnswerSink) => TrainSocket,
  now: () => InstantMs,
): Promise<TrafficResult> {
  const answers = createAnswerTable(count);
  const socket = open((sequence) => answers.add(sequence, now()));
  try {
    const startedAt = now();
    for (let sequence = 0; sequence < count; sequence += 1) {
      // Relative to the start, not to the last packet: a late timer does not slow the pace down.
      const wait = startedAt + sequence * intervalMs - now();
      if (wait > 0) await sleep(wait);
      answers.sent(sequence, now());
      socket.send(sequence);
    }
    await Promise.race([answers.complete, sleep(timeoutMs, undefined, { ref: false })]);
  } finally {
    socket.close();
  }
  return answers.result();
}

/** Round-trip times by sequence number. */
function createAnswerTable(count: number) {
  const sentAt = new Float64Array(count);
  const rttMs: (number | null)[] = Array.from({ length: count }, () => null);
  let received = 0;
  let duplicates = 0;
  let finish: () => void;
  const complete = new Promise<void>((resolve) => (finish = resolve));
  return {
    complete,
    sent: (sequence: number, at: InstantMs): void => {
      sentAt[sequence] = at;
    },
    add: (sequence: number | undefined, at: InstantMs): void => {
      const start = sequence === undefined ? undefined : sentAt[sequence];
      if (sequence === undefined || start === undefined || start === 0) return;
      if (rttMs[sequence] !== null) duplicates += 1;
      else {
        rttMs[sequence] = at - start;
        received += 1;
      }
      if (received === count) finish();
    },
    result: (): TrafficResult => ({ sent: count, received, duplicates, rttMs }),
  };
}
