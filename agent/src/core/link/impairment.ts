/** What one direction of a link does to packets. Absent fields do nothing. */
export interface Impairment {
  /** One-way delay. */
  readonly delayMs?: number;
  /** Half width of a uniform spread around the delay; order is kept. */
  readonly jitterMs?: number;
  /** Share of packets lost, 0..1. */
  readonly lossRate?: number;
  /** Mean length of a run of losses, at least 1 (independent losses). */
  readonly lossBurst?: number;
  /** Share of packets that arrive twice, 0..1. */
  readonly duplicateRate?: number;
  /** Share of packets that overtake those before them by skipping the delay, 0..1. */
  readonly reorderRate?: number;
  /** Bits per second on the wire; packets beyond it wait in line. */
  readonly rateBitPerSec?: number;
  /** Packets that may wait in line for the rate; more are lost. */
  readonly queuePackets?: number;
}

/** Packets that wait for the rate when a condition names no limit; the same as the kernel's netem. */
export const DEFAULT_QUEUE_PACKETS = 1000;
