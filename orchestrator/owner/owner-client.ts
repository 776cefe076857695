/** A client of a lab's owner. */

import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { readLines } from "../runtime/read-lines.ts";
import { type ErrorCode, isErrorCode, TestbedError } from "../support/errors.ts";
import { formatLine, type OwnerRequest, readReply } from "./protocol.ts";

/** Octets of one value: a log is kept up to half of it. */
const MOST_VALUE_OCTETS = 64_000_000;

/** The connection to the owner that listens at `path`; undefined where none does. The socket of a dead one is removed. */
export async function connectOwner(path: string): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return socket;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") rmSync(path, { force: true });
    return undefined;
  }
}

/**
 * The values that answer a request. Throws what the owner answers, and `lab-ended` where it ends before its answer
 * does. Aborting `signal` ends the connection.
 */
export async function* ask(socket: Socket, request: OwnerRequest, signal: AbortSignal): AsyncGenerator<unknown, void> {
  const leave = (): void => void socket.destroy();
  signal.addEventListener("abort", leave, { once: true });
  try {
    socket.write(formatLine(request));
    for await (const line of readLines(socket, MOST_VALUE_OCTETS)) {
      const reply = readReply(line);
      if (reply === undefined) throw new Error("expected an answer of the lab's owner, found another line");
      if (reply.type === "end") return;
      if (reply.type === "error") throw asError(reply);
      yield reply.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
    socket.destroy();
  }
  signal.throwIfAborted();
  throw new TestbedError("lab-ended", "the lab ended before it had answered");
}

function asError({ code, message, hint }: { code: string; message: string; hint?: string | undefined }): Error {
  const known: ErrorCode | undefined = isErrorCode(code) ? code : undefined;
  return known === undefined
    ? new Error(message)
    : new TestbedError(known, message, hint === undefined ? {} : { hint });
}
