/** UDP echo between home addresses: a server on every mobile node, and a client that numbers its requests. */

import { echoSequence, encodeEchoRequest } from "../../control/echo-request.ts";
import type { TrafficResult } from "../../control/messages.ts";
import type { InstantMs } from "../../core/machine.ts";
import { openUdpSocket, type UdpSocket } from "../sockets/udp-socket.ts";
import { type AnswerSink, sendTrain, type Train, type TrainSocket } from "./train.ts";

/** RFC 862. */
const ECHO_PORT = 7;

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
    for (const { payload } of datagrams) onAnswer(echoSequence(payload));
  });
  return {
    send: (sequence) => socket.send(encodeEchoRequest(sequence, sizeBytes), { ip: to, port: ECHO_PORT }),
    close: () => socket.close(),
  };
}
