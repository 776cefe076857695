/** UDP echo between home addresses: a server on every mobile node, and a client that numbers its requests. */

import type { TrafficResult } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";
import { openUdpSocket, type UdpSocket } from "../sockets/udp-socket.ts";
import { type AnswerSink, sendTrain, type Train, type TrainSocket } from "./train.ts";

/** RFC 862. */
const ECHO_PORT = 7;

/** Offset of the sequence number in a request, and length of the shortest request. */
const SEQUENCE_OFFSET = 4;
const MIN_REQUEST_BYTES = 8;
const REQUEST_MAGIC = 0x4d494345;

/** Addresses of the requests, and their length. */
export interface EchoEnds {
  readonly from: string;
  readonly to: string;
  /** UDP payload, at least 8 octets. */
  readonly sizeBytes: number;
}

export interface EchoRequest extends Train, EchoEnds {}

/** Echoes every datagram, except one from an echo port: two servers would never stop. */
export function startEchoServer(address: string): UdpSocket {
  const server = openUdpSocket({ ip: address, port: ECHO_PORT }, (datagrams) => {
    for (const { payload, remote } of datagrams) if (remote.port !== ECHO_PORT) server.queue(payload, remote);
    server.flush();
  });
  return server;
}

/** Sends requests from a new port and returns the round-trip time of each. */
export function echo({ from, to, sizeBytes, ...train }: EchoRequest, now: () => InstantMs): Promise<TrafficResult> {
  return sendTrain(train, (onAnswer) => openEchoSocket({ from, to, sizeBytes }, onAnswer), now);
}

/** Opens a socket for requests to an echo server. Throws `socket-failed`. */
export function openEchoSocket({ from, to, sizeBytes }: EchoEnds, onAnswer: AnswerSink): TrainSocket {
  const socket = openUdpSocket({ ip: from, port: 0 }, (datagrams) => {
    for (const { payload } of datagrams) onAnswer(readSequence(payload));
  });
  return {
    send: (sequence) => socket.send(encodeRequest(sequence, sizeBytes), { ip: to, port: ECHO_PORT }),
    close: () => socket.close(),
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
