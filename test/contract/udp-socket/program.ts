/** Program: sends datagrams to itself over sockets of the agent and prints what came, as JSON. */

import { createHash } from "node:crypto";
import type { Datagram } from "../../../agent/src/core/machine.ts";
import { libc } from "../../../agent/src/io/native.ts";
import { createSendQueue, type SendQueue } from "../../../agent/src/io/send-queue.ts";
import { addressFamily } from "../../../agent/src/io/socket-address.ts";
import { openUdpSocket } from "../../../agent/src/io/udp-socket.ts";

const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_NO_CHECK = 11;

/** A queue on a socket on which the kernel cuts nothing apart: it would have to make checksums that it must not make. */
function queueWithoutSegments(): SendQueue {
  const { socket, setsockopt } = libc();
  const fd = socket(addressFamily(4), SOCK_DGRAM, 0);
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  if (setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, on, on.length) !== 0) throw new Error("SO_NO_CHECK was refused");
  return createSendQueue(fd);
}

/** Payloads told apart by their octets. */
const payloadsOf = (lengths: readonly number[]): readonly Uint8Array[] =>
  lengths.map((length, i) => Uint8Array.from({ length }, (_, at) => (i * 31 + at) & 0xff));

const digest = (payloads: readonly Uint8Array[]): readonly string[] =>
  payloads.map((payload) => `${payload.length} ${createHash("sha256").update(payload).digest("hex").slice(0, 8)}`);

/** Hands datagrams over in one go, so that they wait in the kernel, and tells of all that came. */
async function exchange(ip: string, lengths: readonly number[], queueOf?: () => SendQueue) {
  const received: Datagram[] = [];
  const batches: number[] = [];
  let finish: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => (finish = resolve));
  const target = openUdpSocket({ ip, port: 0 }, (datagrams) => {
    batches.push(datagrams.length);
    received.push(...datagrams);
    if (received.length >= lengths.length) finish();
  });
  const sender = openUdpSocket({ ip, port: 0 }, () => undefined);
  const queue = queueOf?.();
  const payloads = payloadsOf(lengths);
  for (const payload of payloads) {
    if (queue === undefined) sender.queue(payload, target.local);
    else queue.push(payload, target.local);
  }
  (queue ?? sender).flush();
  await complete;
  const counters = queue?.counters ?? sender.counters();
  sender.close();
  target.close();
  return {
    sent: digest(payloads),
    received: digest(received.map(({ payload }) => payload)),
    batches,
    isFromSender: received.every(({ remote }) => remote.ip === ip && remote.port === sender.local.port),
    counters: { sent: counters["udp.sent"], refused: counters["udp.refused"] },
  };
}

/** Rows of one length, a shorter one in between, an empty one, and the longest that there is. */
const MIXED = [...Array<number>(150).fill(1200), 700, ...Array<number>(9).fill(1200), 0, 1, 65_507, 1300, 1300];

const results = {
  ipv4: await exchange("127.0.0.1", MIXED),
  ipv6: await exchange("::1", MIXED),
  withoutSegments: await exchange("127.0.0.1", MIXED, queueWithoutSegments),
};
process.stdout.write(JSON.stringify(results), () => process.exit(0));
