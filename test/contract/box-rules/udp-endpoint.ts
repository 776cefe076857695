/**
 * A program of UDP sockets for one namespace, told what to do on stdin and telling what it got on stdout, a JSON array a
 * line. In: `["open", key, ip, port]`, `["send", key, ip, port, text]`. Out: `["open", key]`, `["got", key, ip, port, text]`.
 */

import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";

const sockets = new Map<string, Socket>();
const say = (...words: readonly (string | number)[]): void => void process.stdout.write(`${JSON.stringify(words)}\n`);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [verb, key, ip, port, text] = JSON.parse(line) as [string, string, string, number, string];
    if (verb === "open") open(key, ip, port);
    else sockets.get(key)?.send(text, port, ip);
  })
  .on("close", () => process.exit(0));

function open(key: string, ip: string, port: number): void {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  sockets.set(key, socket);
  socket.on("message", (message, from) => say("got", key, from.address, from.port, message.toString()));
  socket.on("error", () => undefined);
  socket.bind(port, ip, () => say("open", key));
}
