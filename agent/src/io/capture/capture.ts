/**
 * Captures of a node's interfaces. Each frame on a segment leaves exactly one node's interface once, so the outgoing
 * frames of all nodes together are the traffic of the segment, without duplicates.
 */

import { openPacketRing, SNAP_LENGTH } from "./packet-ring.ts";
import { pcapFileHeader, pcapRecord } from "./pcap.ts";

export interface CaptureFigures {
  readonly captured: number;
  readonly droppedByKernel: number;
}

export interface Capture {
  /** Ends the capture with all frames that have left by now; the last chunk has been passed on when this returns. */
  stop(): CaptureFigures;
}

/** Frames are collected this long after the first of them left, so that one wake-up handles many. */
const COLLECT_DELAY_MS = 20;

/** A chunk ends with the frame that reaches this length. */
const PIECE_BYTES = 48 * 1024;

/** Octets that may wait for the orchestrator. Beyond that, frames stay in the ring, and the kernel counts its drops. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/**
 * Starts capturing an interface that is up; frames are captured once this resolves. `onPiece` takes the next octets of
 * the pcap file and settles when they have left the node. Throws `capture-failed`.
 */
export async function startCapture(interfaceName: string, onPiece: (pcap: Buffer) => Promise<void>): Promise<Capture> {
  const ring = await openPacketRing(interfaceName);
  let captured = 0;
  let backlogBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const deliver = (piece: Buffer): void => {
    backlogBytes += piece.length;
    void onPiece(piece).then(() => {
      backlogBytes -= piece.length;
    });
  };
  const collect = (): void => {
    const pieces = createPieces(deliver);
    ring.take((frame) => {
      captured += 1;
      pieces.add(pcapRecord(frame));
    });
    pieces.end();
  };
  const collectLater = (): void => {
    timer = setTimeout(() => {
      if (backlogBytes > MAX_BACKLOG_BYTES) {
        collectLater();
        return;
      }
      collect();
      ring.whenReadable(collectLater);
    }, COLLECT_DELAY_MS);
  };

  deliver(pcapFileHeader(SNAP_LENGTH));
  ring.whenReadable(collectLater);
  return {
    stop() {
      clearTimeout(timer);
      collect();
      const figures = { captured, droppedByKernel: ring.takeDrops() };
      ring.close();
      return figures;
    },
  };
}

/** Joins records to chunks. */
function createPieces(deliver: (piece: Buffer) => void): { add(record: Buffer): void; end(): void } {
  let records: Buffer[] = [];
  let octets = 0;
  const end = (): void => {
    if (octets === 0) return;
    deliver(Buffer.concat(records));
    records = [];
    octets = 0;
  };
  return {
    add(record) {
      records.push(record);
      octets += record.length;
      if (octets >= PIECE_BYTES) end();
    },
    end,
  };
}
