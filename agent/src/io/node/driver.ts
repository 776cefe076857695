/**
 * The loop around a protocol machine (see `core/machine.ts`). After every input it drains the machine's outputs to the
 * kernel and the reports, and arms one timer for the machine's next wake-up.
 */

import type { NodeEvent } from "../../core/events.ts";
import type { Datagram, InstantMs, Transmit } from "../../core/machine.ts";
import type { NodeMachine } from "../../core/node/node-machine.ts";

/** The inputs and outputs that the driver uses. */
export interface DriverPorts {
  now(): InstantMs;
  send(transmit: Transmit): void;
  writeTun(packet: Uint8Array): void;
  /** Called after a batch: sends and writes may be buffered until then. */
  flush(): void;
  report(atMs: InstantMs, event: NodeEvent): void;
}

export interface Driver<Machine extends NodeMachine> {
  /** Starts the machine. */
  start(): void;
  /** Datagrams and packets arrive in batches: the machine's outputs are drained once per batch. */
  handleDatagrams(datagrams: readonly Datagram[]): void;
  handleTunPackets(packets: readonly Uint8Array[]): void;
  /** Passes a command to the machine, such as to connect. */
  tell(command: (machine: Machine, now: InstantMs) => void): void;
  /** The clock has jumped, so the armed timer is late: wakes the machine now. */
  clockJumped(): void;
  /** Disarms the timer; the machine is not woken again. */
  stop(): void;
}

/** Outputs drained at once before sockets and timers get their turn. */
const DRAIN_BATCH = 1024;

/** Longest delay of a Node timer; a later wake-up takes several timers. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** Runs `machine` on `ports`. Exceptions of the machine are bugs and are not caught. */
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

  /** A timer that fires too early is harmless, so a wake-up that moves later needs no new timer. */
  const arm = (at: InstantMs | undefined): void => {
    if (at === undefined || at >= armedFor) return;
    clearTimeout(timer);
    armedFor = at;
    timer = setTimeout(wake, Math.min(Math.max(at - ports.now(), 0), MAX_DELAY_MS));
  };

  const wake = (): void => {
    clearTimeout(timer);
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
    clockJumped: wake,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Drains outputs until there are none or a batch is full; true when there are none left. */
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
