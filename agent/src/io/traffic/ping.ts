/**
 * Round-trip times of ICMP echo. The system's ping is not used: with a deadline it keeps sending while answers are
 * missing, without one it waits for late answers only twice the longest round trip, and starting it costs more than all
 * the packets.
 */

import type { TrafficResult } from "../../control/messages.ts";
import { type Family, familyOf } from "../../core/address.ts";
import type { InstantMs } from "../../core/machine.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice } from "../native/packet-device.ts";
import { addressFamily, encodeSocketAddress } from "../native/socket-address.ts";
import { encodeEchoRequest, ICMP, readEchoReply } from "./icmp-echo.ts";
import { type AnswerSink, sendTrain, type Train, type TrainSocket } from "./train.ts";

export interface PingRequest extends Train {
  /** Address of either IP version. */
  readonly to: string;
  /** Distinguishes replies of concurrent trains to the same address; only its low 16 bits count. */
  readonly identifier: number;
}

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;

/**
 * Sends echo requests from the address that the routes select: the home address for other home addresses. Never throws:
 * a request that cannot be sent counts as unanswered.
 */
export async function ping({ to, identifier, ...train }: PingRequest, now: () => InstantMs): Promise<TrafficResult> {
  const family = familyOf(to);
  const id = identifier & 0xffff;
  const fd = openSocket(family, to);
  if (fd === undefined) return allLost(train.count);
  const open = (onAnswer: AnswerSink): TrainSocket => {
    const socket = createPacketDevice(fd);
    socket.listen((packet) => onAnswer(readEchoReply(family, packet, id)));
    return {
      send: (sequence) => socket.write(encodeEchoRequest(family, id, sequence)),
      close: () => socket.close(),
    };
  };
  return sendTrain(train, open, now);
}

/** A raw socket that receives packets only from this address; undefined if there is no route to it. */
function openSocket(family: Family, to: string): number | undefined {
  const { socket, connect, close } = libc();
  const fd = socket(addressFamily(family), SOCK_RAW | SOCK_NONBLOCK, ICMP[family].protocol);
  if (fd === -1) return undefined;
  const address = encodeSocketAddress({ ip: to, port: 0 });
  if (connect(fd, address, address.length) === 0) return fd;
  close(fd);
  return undefined;
}

function allLost(count: number): TrafficResult {
  return { sent: count, received: 0, duplicates: 0, rttMs: Array.from({ length: count }, () => null) };
}
