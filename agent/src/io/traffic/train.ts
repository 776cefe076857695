/** Trains of numbered requests at a steady pace, and the round trip of each. */

import { setTimeout as sleep } from "node:timers/promises";
import type { TrafficResult } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";

export interface Train {
  readonly count: number;
  readonly intervalMs: number;
  /** How long to wait for answers after the last request. */
  readonly timeoutMs: number;
}

/** Takes the sequence number of an answer, or undefined for what is none. */
export type AnswerSink = (sequence: number | undefined) => void;

/** The way on which requests leave. */
export interface TrainSocket {
  send(sequence: number): void;
  close(): void;
}

/**
 * Opens a socket, sends `count` requests numbered from 0 through it and gives the round trip of each; the last answer
 * ends the wait. Rejects when the socket cannot be opened.
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
      // Against the start and not the last packet: a late timer does not slow the pace down.
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

/** Round trips by sequence number. */
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
