/**
 * The loop that a protocol machine runs in (see `core/machine.ts`): every input is followed by draining what the machine
 * has to send, to hand to the kernel and to report, and by arming one timer for its next wake-up.
 */

import type { NodeEvent } from "../../core/events.ts";
import type { Datagram, InstantMs, Transmit } from "../../core/machine.ts";
import type { NodeMachine } from "../../core/node/node-machine.ts";

/** What the driver needs of the world. */
export interface DriverPorts {
  now(): InstantMs;
  send(transmit: Transmit): void;
  writeTun(packet: Uint8Array): void;
  /** Called after a batch: what was sent and written may be held back until here. */
  flush(): void;
  report(atMs: InstantMs, event: NodeEvent): void;
}

export interface Driver<Machine extends NodeMachine> {
  /** Starts what the machine does on its own. */
  start(): void;
  /** Datagrams and packets come in batches: the machine's queues are drained once for all of them. */
  handleDatagrams(datagrams: readonly Datagram[]): void;
  handleTunPackets(packets: readonly Uint8Array[]): void;
  /** Tells the machine something else, such as to connect. */
  tell(command: (machine: Machine, now: InstantMs) => void): void;
  /** Disarms the timer; the machine is not woken again. */
  stop(): void;
}

/** Outputs taken from the machine in one go before sockets and timers get their turn. */
const DRAIN_BATCH = 1024;

/** Longest delay of a Node timer; a later wake-up is armed in several steps. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** Runs `machine` on `ports`. Exceptions of the machine pass through: they are bugs. */
export function createDriver<Machine extends NodeMachine>(machine: Machine, ports: DriverPorts): Driver<Machine> {
  let timer: NodeJS.Timeout | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  let isStopped = false;

  const step = (input: (now: InstantMs) => void): void => {
    if (isStopped) return;
    const now = ports.now();
    input(now);
    settle(now);
  };

  const settle = (now: InstantMs): void => {
    const isDrained = drain(machine, ports, now);
    ports.flush();
    arm(isDrained ? machine.pollTimeout() : now);
  };

  /** A timer that fires too early is harmless, so a wake-up that moves later costs nothing here. */
  const arm = (at: InstantMs | undefined): void => {
    if (at === undefined || at >= armedFor) return;
    clearTimeout(timer);
    armedFor = at;
    timer = setTimeout(wake, Math.min(Math.max(at - ports.now(), 0), MAX_DELAY_MS));
  };

  const wake = (): void => {
    timer = undefined;
    armedFor = Number.POSITIVE_INFINITY;
    step((now) => machine.handleTimeout(now));
  };

  return {
    start: () => step((now) => machine.start(now)),
    handleDatagrams: (datagrams) =>
      step((now) => {
        for (const datagram of datagrams) machine.handleDatagram(now, datagram);
      }),
    handleTunPackets: (packets) =>
      step((now) => {
        for (const packet of packets) machine.handleTunPacket(now, packet);
      }),
    tell: (command) => step((now) => command(machine, now)),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Takes outputs until there are none, or a batch is full; tells whether there are none. */
function drain(machine: NodeMachine, ports: DriverPorts, now: InstantMs): boolean {
  for (let i = 0; i < DRAIN_BATCH; i += 1) {
    const transmit = machine.pollTransmit();
    if (transmit !== undefined) ports.send(transmit);
    const packet = machine.pollTunPacket();
    if (packet !== undefined) ports.writeTun(packet);
    const event = machine.pollEvent();
    if (event !== undefined) ports.report(now, event);
    if (transmit === undefined && packet === undefined && event === undefined) return true;
  }
  return false;
}
