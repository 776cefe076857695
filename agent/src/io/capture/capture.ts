/**
 * Captures of a node's segments. Each frame on a segment leaves exactly one node's interface once, so that outgoing frames of
 * all nodes together are each segment complete and without doubles.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { NodeFailure } from "../failure.ts";
import { type RunningProgram, start } from "../process/command.ts";
import { processState } from "../process/process-state.ts";
import { createFrameCounter } from "./pcap-frames.ts";

/** Figures that tcpdump gives at its end. */
export interface CaptureFigures {
  readonly captured: number;
  readonly droppedByKernel: number;
}

export interface Capture {
  /** Ends the capture with what was on the wire by now; resolves when its last piece has been delivered. */
  stop(): Promise<CaptureFigures>;
}

/** A piece is delivered when it has grown to this many octets, or when it has waited this long. */
const PIECE_BYTES = 48 * 1024;
const PIECE_DELAY_MS = 50;

/** At the end tcpdump is looked at this often, and this many times at most: on a segment that is never quiet it has never read all. */
const LOOK_EVERY_MS = 1;
const MOST_LOOKS = 500;

const WAITS_OR_ENDED: ReadonlySet<string | undefined> = new Set(["S", "Z", undefined]);

/** What ends the line of the figure that tcpdump gives last. */
const LAST_FIGURE = "dropped by kernel\n";

/** Octets that may wait for the orchestrator; beyond that tcpdump is not read, and the kernel counts what it drops. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/**
 * Starts tcpdump on an interface that is up; resolves when it listens. `onPiece` takes the next octets of the pcap file
 * and settles when they have left the node. Throws `capture-failed`.
 */
export async function startCapture(interfaceName: string, onPiece: (pcap: Buffer) => Promise<void>): Promise<Capture> {
  const tcpdump = start("tcpdump", captureArguments(interfaceName));
  const stderr = collectText(tcpdump);
  const pieces = createCoalescer(withBackpressure(tcpdump, onPiece));
  const frames = createFrameCounter();
  let octets = 0;
  tcpdump.stdout.on("data", (piece: Buffer) => {
    octets += piece.length;
    frames.add(piece);
    pieces.add(piece);
  });
  const exited = untilExited(tcpdump);
  await Promise.race([
    untilListening(tcpdump, stderr),
    exited.then((error) => {
      const reason = error?.message ?? stderr().trim();
      throw new NodeFailure("capture-failed", `tcpdump on ${interfaceName} did not start: ${reason}`);
    }),
  ]);
  return {
    async stop() {
      await untilRead(tcpdump, () => octets);
      tcpdump.kill("SIGINT");
      await Promise.race([exited, untilDelivered(tcpdump, stderr, frames.count)]);
      pieces.flush();
      return parseCaptureFigures(stderr());
    },
  };
}

/**
 * Outgoing frames, each handed over as it comes (`--immediate-mode -U`), long enough to hold every frame of a lab whole,
 * with 16 MiB of room in the kernel, and without giving up the rights that namespaces need (`-Z root`).
 */
export function captureArguments(interfaceName: string): readonly string[] {
  const buffering = ["--immediate-mode", "-U", "-s", "2048", "-B", "16384"];
  return ["-i", interfaceName, "-n", "-Q", "out", ...buffering, "-Z", "root", "-w", "-"];
}

/** Reads `12 packets captured` and `0 packets dropped by kernel`; what is not there counts as none. */
export function parseCaptureFigures(stderr: string): CaptureFigures {
  const figure = (pattern: RegExp): number => Number(pattern.exec(stderr)?.[1] ?? 0);
  return {
    captured: figure(/^(\d+) packets? captured/m),
    droppedByKernel: figure(/^(\d+) packets? dropped by kernel/m),
  };
}

/** Gives the error of a program that could not be started at all. */
function untilExited(tcpdump: RunningProgram): Promise<Error | undefined> {
  return new Promise((resolve) => {
    tcpdump.once("close", () => resolve(undefined)).once("error", resolve);
  });
}

function untilListening(tcpdump: RunningProgram, stderr: () => string): Promise<void> {
  return new Promise((resolve) => {
    tcpdump.stderr.on("data", () => {
      if (stderr().includes("listening on")) resolve();
    });
  });
}

/**
 * Resolves when tcpdump has read what the kernel has for it: at SIGINT it leaves the rest, which on a busy machine was up to
 * all of it. It has when it waits, and not for room in its pipe, which is empty when nothing has come between two looks.
 */
async function untilRead({ pid = 0, stdout }: RunningProgram, octets: () => number): Promise<void> {
  let before = -1;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const isPipeEmpty = octets() === before && !stdout.isPaused();
    if (isPipeEmpty && WAITS_OR_ENDED.has(processState(pid)?.state)) return;
    before = octets();
    await sleep(LOOK_EVERY_MS);
  }
}

/**
 * Resolves when tcpdump has said how many frames it captured, and that many have come. Its figures come at once, its
 * exit only when the kernel has taken its socket down: 10 to 75 ms later (measured on Linux 6.18).
 */
function untilDelivered(tcpdump: RunningProgram, stderr: () => string, count: () => number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (stderr().includes(LAST_FIGURE) && count() >= parseCaptureFigures(stderr()).captured) resolve();
    };
    tcpdump.stdout.on("data", look);
    tcpdump.stderr.on("data", look);
  });
}

function collectText({ stderr }: RunningProgram): () => string {
  let text = "";
  stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}

/** Stops reading while too much waits to be taken, so that a slow orchestrator costs no memory here. */
function withBackpressure(
  { stdout }: RunningProgram,
  onPiece: (pcap: Buffer) => Promise<void>,
): (piece: Buffer) => void {
  let backlog = 0;
  return (piece) => {
    backlog += piece.length;
    if (backlog > MAX_BACKLOG_BYTES) stdout.pause();
    void onPiece(piece).then(() => {
      backlog -= piece.length;
      if (backlog <= MAX_BACKLOG_BYTES) stdout.resume();
    });
  };
}

/** Joins small chunks: one report per packet would cost more than the packets. */
function createCoalescer(deliver: (piece: Buffer) => void): { add: (chunk: Buffer) => void; flush: () => void } {
  let chunks: Buffer[] = [];
  let octets = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (octets === 0) return;
    const piece = Buffer.concat(chunks);
    chunks = [];
    octets = 0;
    deliver(piece);
  };
  const add = (chunk: Buffer): void => {
    chunks.push(chunk);
    octets += chunk.length;
    if (octets >= PIECE_BYTES) flush();
    else timer ??= setTimeout(flush, PIECE_DELAY_MS);
  };
  return { add, flush };
}
