/** Outputs of a node: datagrams to send, packets for the kernel, events, and counters. */

import type { NodeEvent } from "../events.ts";
import type { Transmit } from "../machine.ts";

/** Queues in order of occurrence, drained by the driver after every input. */
export interface Outbox {
  transmit(transmit: Transmit): void;
  toTun(packet: Uint8Array): void;
  emit(event: NodeEvent): void;
  /** Adds 1, or `amount`, to a counter such as `dropped.unknown`. */
  count(name: string, amount?: number): void;
  pollTransmit(): Transmit | undefined;
  pollTunPacket(): Uint8Array | undefined;
  pollEvent(): NodeEvent | undefined;
  counters(): Readonly<Record<string, number>>;
}

export function createOutbox(): Outbox {
  const transmits: Transmit[] = [];
  const packets: Uint8Array[] = [];
  const events: NodeEvent[] = [];
  const counters: Record<string, number> = {};
  return {
    transmit: (transmit) => void transmits.push(transmit),
    toTun: (packet) => void packets.push(packet),
    emit: (event) => void events.push(event),
    count: (name, amount = 1) => {
      counters[name] = (counters[name] ?? 0) + amount;
    },
    pollTransmit: () => transmits.shift(),
    pollTunPacket: () => packets.shift(),
    pollEvent: () => events.shift(),
    counters: () => ({ ...counters }),
  };
}
