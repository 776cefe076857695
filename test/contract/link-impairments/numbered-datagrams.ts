/**
 * A program that sends numbered datagrams at a steady pace and receives those of its peer without reading them.
 * Arguments: own address, peer's address, port of both, datagrams a second, count, octets of payload.
 */

import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";

const [own = "", peer = "", portText, ratePerSecText, countText, octetsText] = process.argv.slice(2);
const [port, ratePerSec, count, octets] = [portText, ratePerSecText, countText, octetsText].map(Number) as [
  number,
  number,
  number,
  number,
];

/** How long the last datagrams may take. */
const TAIL_MS = 300;

const socket = createSocket("udp4");
socket.setMaxListeners(0);
await new Promise<void>((resolve) => socket.bind(port, own, resolve));
// Arrivals are not read here: the captures record them.
socket.on("message", () => undefined);
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));

const startedAt = performance.now();
for (let sent = 0; sent < count; ) {
  const due = Math.min(count, Math.floor(((performance.now() - startedAt) * ratePerSec) / 1000) + 1);
  for (; sent < due; sent += 1) {
    const payload = Buffer.alloc(octets);
    payload.writeUInt32BE(sent, 0);
    socket.send(payload, port, peer);
  }
  await sleep(1);
}
await sleep(TAIL_MS);
process.exit(0);
