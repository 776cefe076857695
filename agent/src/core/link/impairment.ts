/** Impairments of one direction of a link. Absent fields have no effect. */
export interface Impairment {
  /** One-way delay. */
  readonly delayMs?: number;
  /** Half width of a uniform jitter around the delay; order is kept. */
  readonly jitterMs?: number;
  /** Share of packets lost, 0..1. */
  readonly lossRate?: number;
  /** Mean length of a run of losses, at least 1 (independent losses). */
  readonly lossBurst?: number;
  /** Share of packets that are duplicated, 0..1. */
  readonly duplicateRate?: number;
  /** Share of packets that overtake those before them by skipping the delay, 0..1. */
  readonly reorderRate?: number;
  /** Bits per second on the wire; packets beyond it are queued. */
  readonly rateBitPerSec?: number;
  /** Packets that may be queued for the rate; more are lost. */
  readonly queuePackets?: number;
  /** Share of packets of which one bit is changed, 0..1. */
  readonly corruptRate?: number;
  /** What the link does by the contents of frames, now or later: not by the kernel's netem, which knows no contents. */
  readonly limits?: PacketLimits;
}

/** Which IP packets a link does not carry. */
export interface PacketLimits {
  /** Octets of the largest one that is carried. */
  readonly mtuOctets?: number;
  /** Larger ones are dropped without a word; otherwise they are fragmented where they may be, or answered with ICMP. */
  readonly isSilent?: boolean;
  /** Fragments are dropped. */
  readonly dropsFragments?: boolean;
}

/** Queue limit when an impairment has a rate and no limit; the same as in the kernel's netem. */
export const DEFAULT_QUEUE_PACKETS = 1000;
