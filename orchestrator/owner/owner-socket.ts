/** The socket of a lab's owner. Clients may come and go, be many, say anything, or stop to read: none hurts the lab. */

import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../lab/lab-record.ts";
import { readLines } from "../runtime/read-lines.ts";
import { formatLine, MOST_REQUEST_OCTETS, type OwnerRequest, readRequest } from "./protocol.ts";

/** Values of an answer, as they come; ends early when the client is gone (`signal`). */
export type Answer = (request: OwnerRequest, signal: AbortSignal) => AsyncIterable<unknown>;

/** How long a client may take to say what it wants. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Octets that wait for a client to read; one that is further behind is let go. */
const MOST_UNREAD_OCTETS = 8_000_000;

/** How long the clients of a lab that has ended may take to read its last answers. */
const FAREWELL_TIMEOUT_MS = 500;

export interface OwnerSocket {
  /** Removes the socket, and lets the clients go: those that are answered get the end of it if they take it at once. */
  readonly close: () => Promise<void>;
}

/** Listens at `path`, for this user alone. */
export async function listenAt(path: string, answer: Answer): Promise<OwnerSocket> {
  const clients = new Set<Socket>();
  const server: Server = createServer((client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    // A client that is gone needs no answer.
    client.on("error", () => client.destroy());
    void serve(client, answer);
  });
  // The folder is the user's alone; the mode says so once more.
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
  const close = async (): Promise<void> => {
    rmSync(path, { force: true });
    const closed = once(server, "close");
    server.close();
    await Promise.race([closed, sleep(FAREWELL_TIMEOUT_MS, undefined, { ref: false })]);
    for (const client of clients) client.destroy();
  };
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= close()) };
}

async function serve(client: Socket, answer: Answer): Promise<void> {
  const line = await requestLine(client);
  const request = line === undefined ? undefined : readRequest(line);
  if (request === undefined) {
    const message = "expected one request as a line of JSON";
    client.write(formatLine({ type: "error", code: "bad-usage", message }));
    // What it still sends is not waited for.
    client.destroySoon();
    return;
  }
  const gone = new AbortController();
  client.once("close", () => gone.abort());
  try {
    for await (const value of answer(request, gone.signal)) {
      if (client.destroyed) return;
      client.write(formatLine({ type: "value", value }));
      if (client.writableLength > MOST_UNREAD_OCTETS) return void client.destroy();
    }
    client.end(formatLine({ type: "end" }));
  } catch (error) {
    client.end(formatLine({ type: "error", ...describeError(error) }));
  }
}

/** The first line; undefined where there is none, it is too long, or too late. */
async function requestLine(client: Socket): Promise<string | undefined> {
  const lines = readLines(client.iterator({ destroyOnReturn: false }), MOST_REQUEST_OCTETS);
  const late = sleep(REQUEST_TIMEOUT_MS, undefined, { ref: false });
  const first = await Promise.race([lines.next(), late]).catch(() => undefined);
  // What else the client says is read and left: otherwise its end would not be noticed.
  client.resume();
  return first?.value ?? undefined;
}
