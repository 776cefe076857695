/** A node that is only a STUN server: `server.ts` as a protocol machine. */

import type { NodeEvent } from "../events.ts";
import type { Datagram, InstantMs, Transmit } from "../machine.ts";
import { answerBinding, type StunServerConfig } from "../stun/server.ts";
import type { NodeMachine } from "./node-machine.ts";

/** Makes a STUN server. It has no state and no timers. */
export function createStunServer(config: StunServerConfig): NodeMachine {
  return new StunServer(config);
}

class StunServer implements NodeMachine {
  readonly #config: StunServerConfig;
  readonly #transmits: Transmit[] = [];
  readonly #counters: Record<string, number> = {};

  constructor(config: StunServerConfig) {
    this.#config = config;
  }

  start(): void {
    return;
  }

  handleDatagram(_now: InstantMs, datagram: Datagram): void {
    const answers = answerBinding(datagram, this.#config);
    this.#transmits.push(...answers);
    const counter = answers.length > 0 ? "answered.stun" : "dropped.stun";
    this.#counters[counter] = (this.#counters[counter] ?? 0) + 1;
  }

  /** It has no TUN device. */
  handleTunPacket(): void {
    return;
  }

  handleTimeout(): void {
    return;
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollTunPacket(): Uint8Array | undefined {
    return undefined;
  }

  pollEvent(): NodeEvent | undefined {
    return undefined;
  }

  pollTimeout(): InstantMs | undefined {
    return undefined;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }
}
