/** A container's standard streams and its exit, as one value. */

import { Duplex, PassThrough } from "node:stream";
import type { Container } from "dockerode";
import { createBoundedLog } from "../bounded-log.ts";
import type { NodeExit, OutputListener } from "../runtime.ts";
import { connectionLost, type Engine } from "./engine.ts";
import { frameDemultiplexer } from "./frames.ts";

/** How many of the last log lines an error carries. */
const LOG_TAIL_LINES = 20;

/** Exit code of a container that this process has let go of. */
const UNKNOWN_EXIT_CODE = -1;

export interface Attachment {
  readonly stdout: AsyncIterable<Uint8Array>;
  /** Everything on stderr so far, and for host programs on stdout too; of much, the beginning and the end. */
  readonly log: () => string;
  readonly forgetLog: () => void;
  readonly exited: Promise<NodeExit>;
  readonly write: (text: string) => void;
  /** Ends the connection; what was written still arrives, then the container reads end of file. */
  readonly detach: () => void;
}

/**
 * Connects to a container that is not started yet, so that no output is missed. With `stdin` the connection is the
 * container's lifeline: the engine closes its stdin when the connection ends.
 */
export async function attachContainer(
  engine: Engine,
  container: Container,
  options: {
    readonly name: string;
    readonly stdin: boolean;
    /** For a host's program: what it writes to stdout is logged too. */
    readonly onOutput?: OutputListener;
  },
): Promise<Attachment> {
  const abort = new AbortController();
  const { name, onOutput } = options;
  const [connection, exitCode] = await Promise.all([
    openConnection(container, options.stdin),
    awaitExit(engine, { id: container.id, name }, abort.signal),
  ]);
  const stdout = new PassThrough({ readableHighWaterMark: Number.MAX_SAFE_INTEGER });
  const logged = collectText();
  const logFrom = (stream: "stdout" | "stderr") => (piece: Uint8Array) => {
    logged.add(piece);
    onOutput?.(stream, piece);
  };
  const demultiplex = frameDemultiplexer({
    stdout: onOutput === undefined ? (piece) => void stdout.write(piece) : logFrom("stdout"),
    stderr: logFrom("stderr"),
  });
  const ended = new Promise<void>((resolve) => {
    connection.on("data", demultiplex);
    // The container or the engine has ended: `exited` reports which.
    connection.on("error", () => connection.destroy());
    connection.once("close", () => {
      stdout.end();
      resolve();
    });
    connection.once("end", () => connection.end());
  });
  const exited = Promise.all([exitCode.code, ended]).then(([code]) => ({ code, logTail: tail(logged.text()) }));
  // Whoever has stopped to listen need not know.
  exited.catch(() => undefined);
  return {
    stdout,
    log: logged.text,
    forgetLog: logged.clear,
    exited,
    // A container that has exited needs no command; `exited` reports it.
    write: (text) => {
      if (connection.writable) connection.write(text);
    },
    detach: () => {
      connection.end(() => connection.destroy());
      abort.abort();
    },
  };
}

/** The client declares a plain stream; it is the upgraded connection's socket. */
async function openConnection(container: Container, stdin: boolean): Promise<Duplex> {
  const connection = await container.attach({ stream: true, stdin, stdout: true, stderr: true, hijack: true });
  if (!(connection instanceof Duplex)) throw new TypeError("expected a connection that can be written to");
  return connection;
}

/**
 * Requests the exit code of a container that is about to start. The engine sends the headers at once: from then on no
 * exit is missed, however early, although AutoRemove leaves nothing to inspect afterwards.
 */
function awaitExit(
  engine: Engine,
  { id, name }: { readonly id: string; readonly name: string },
  signal: AbortSignal,
): Promise<{ readonly code: Promise<number> }> {
  return new Promise((resolve, reject) => {
    engine.docker.modem.dial(
      {
        path: `/containers/${id}/wait?`,
        method: "POST",
        options: { _query: { condition: "next-exit" }, _body: {} },
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 404: "no such container", 500: "server error" },
      },
      (error, response) => {
        if (error !== null) reject(error);
        else resolve({ code: readExitCode(response as NodeJS.ReadableStream, name, signal) });
      },
    );
  });
}

/** Rejects with `engine-failed` where the engine goes before the container; this process may let go of both. */
async function readExitCode(response: NodeJS.ReadableStream, name: string, signal: AbortSignal): Promise<number> {
  let text = "";
  try {
    for await (const chunk of response) text += chunk.toString();
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null && "StatusCode" in answer) return Number(answer.StatusCode);
  } catch (error) {
    if (!signal.aborted) throw Object.assign(connectionLost(name), { cause: error });
  }
  if (signal.aborted) return UNKNOWN_EXIT_CODE;
  throw connectionLost(name);
}

function collectText() {
  const decoder = new TextDecoder();
  const { add, text, clear } = createBoundedLog();
  return { add: (piece: Uint8Array): void => add(decoder.decode(piece, { stream: true })), text, clear };
}

function tail(log: string): readonly string[] {
  return log.trimEnd().split("\n").slice(-LOG_TAIL_LINES);
}
