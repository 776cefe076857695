/**
 * A program with UDP sockets for one namespace, controlled on stdin and reporting on stdout, one JSON array per line.
 * In: `["open", key, ip, port]`, `["send", key, ip, port, text, at?]`, where `at` is an instant of the machine's
 * monotonic clock in nanoseconds. Out: `["open", key]`, `["got", key, ip, port, text]`.
 */

import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";

/** More than a Node timer is late on an idle processor. */
const WATCH_MS = 2;

const sockets = new Map<string, Socket>();
const say = (...words: readonly (string | number)[]): void => void process.stdout.write(`${JSON.stringify(words)}\n`);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [verb, key, ip, port, text, at] = JSON.parse(line) as [string, string, string, number, string, number?];
    if (verb === "open") open(key, ip, port);
    else if (at === undefined) sockets.get(key)?.send(text, port, ip);
    else setTimeout(() => sendAt(key, ip, port, text, at), (at - Number(process.hrtime.bigint())) / 1e6 - WATCH_MS);
  })
  .on("close", () => process.exit(0));

/** No sleep is accurate to the microsecond: the last part is spent polling the clock. */
function sendAt(key: string, ip: string, port: number, text: string, at: number): void {
  while (process.hrtime.bigint() < at);
  sockets.get(key)?.send(text, port, ip);
}

function open(key: string, ip: string, port: number): void {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  sockets.set(key, socket);
  socket.on("message", (message, from) => say("got", key, from.address, from.port, message.toString()));
  socket.on("error", () => undefined);
  socket.bind(port, ip, () => say("open", key));
}
