/** UDP echo between home addresses: a server on every mobile node, and a client that numbers what it sends. */

import { setTimeout as sleep } from "node:timers/promises";
import type { TrafficResult } from "../control/messages.ts";
import type { InstantMs } from "../core/machine.ts";
import { openUdpSocket, type UdpSocket } from "./udp-socket.ts";

/** RFC 862. */
const ECHO_PORT = 7;

/** Where the sequence number lies in a request, and how long the shortest request is. */
const SEQUENCE_OFFSET = 4;
const MIN_REQUEST_BYTES = 8;
const REQUEST_MAGIC = 0x4d494345;

export interface EchoRequest {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly intervalMs: number;
  /** UDP payload, at least 8 octets. */
  readonly sizeBytes: number;
  /** How long to wait for answers after the last request. */
  readonly timeoutMs: number;
}

/** Answers every datagram with itself, except one from an echo port: two servers would never stop. */
export async function startEchoServer(address: string): Promise<UdpSocket> {
  const server = await openUdpSocket({ ip: address, port: ECHO_PORT }, ({ payload, remote }) => {
    if (remote.port !== ECHO_PORT) server.send(payload, remote);
  });
  return server;
}

/** Sends requests at a steady pace and gives the round trip of each; the last answer ends the wait. */
export async function echo(request: EchoRequest, now: () => InstantMs): Promise<TrafficResult> {
  const { from, to, count, intervalMs, sizeBytes, timeoutMs } = request;
  const answers = createAnswerTable(count);
  const socket = await openUdpSocket({ ip: from, port: 0 }, ({ payload }) => {
    answers.add(readSequence(payload), now());
  });
  try {
    const startedAt = now();
    for (let sequence = 0; sequence < count; sequence += 1) {
      // Against the start and not the last packet: a late timer does not slow the pace down.
      const wait = startedAt + sequence * intervalMs - now();
      if (wait > 0) await sleep(wait);
      answers.sent(sequence, now());
      socket.send(encodeRequest(sequence, sizeBytes), { ip: to, port: ECHO_PORT });
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

function encodeRequest(sequence: number, sizeBytes: number): Uint8Array {
  const payload = Buffer.alloc(Math.max(sizeBytes, MIN_REQUEST_BYTES));
  payload.writeUInt32BE(REQUEST_MAGIC, 0);
  payload.writeUInt32BE(sequence, SEQUENCE_OFFSET);
  return payload;
}

function readSequence(payload: Uint8Array): number | undefined {
  if (payload.length < MIN_REQUEST_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return view.getUint32(0) === REQUEST_MAGIC ? view.getUint32(SEQUENCE_OFFSET) : undefined;
}
