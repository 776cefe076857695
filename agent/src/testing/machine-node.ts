/** Runs a `NodeMachine` in virtual time: its sockets, TUN device and timer on a simulated host. */

import type { SocketAddress } from "../core/address.ts";
import type { NodeEvent } from "../core/events.ts";
import type { InstantMs } from "../core/machine.ts";
import type { NodeMachine } from "../core/node/node-machine.ts";
import { ipv6Packet } from "./packet.ts";
import type { SimHost } from "./sim-host.ts";

export interface TimedEvent {
  readonly atMs: InstantMs;
  readonly event: NodeEvent;
}

/** A machine that runs on a simulated host. */
export interface MachineNode<M extends NodeMachine> {
  readonly host: SimHost;
  readonly machine: M;
  /** Events reported so far. */
  readonly events: readonly TimedEvent[];
  /** Calls the machine and then sends what it has queued. */
  readonly tell: (action: (machine: M, now: InstantMs) => void) => void;
  /** Opens a socket; datagrams that arrive on it are passed to the machine. */
  readonly open: (socket: SocketAddress) => void;
  readonly close: (socket: SocketAddress) => void;
  /** Stops the process, as SIGSTOP does: what arrives waits in its sockets, and its timer is late. */
  readonly pause: () => void;
  /** Continues it: first the timer, then what has arrived. */
  readonly resume: () => void;
}

/** Receives IPv6 packets that the machine writes to the TUN device. */
export type TunReader = (packet: Uint8Array) => void;

/** Opens the sockets, connects the TUN device, and starts the machine. */
export function runMachine<M extends NodeMachine>(
  host: SimHost,
  machine: M,
  options: { readonly sockets: readonly SocketAddress[]; readonly onTun: TunReader },
): MachineNode<M> {
  const { time } = host.net;
  const events: TimedEvent[] = [];
  let disarm = (): void => undefined;
  /** Inputs of a stopped process. */
  let waiting: ((machine: M, now: InstantMs) => void)[] | undefined;

  const drain = (): void => {
    for (let tx = machine.pollTransmit(); tx !== undefined; tx = machine.pollTransmit())
      host.send({ kind: "udp", source: tx.local, destination: tx.remote, payload: tx.payload });
    for (let packet = machine.pollTunPacket(); packet !== undefined; packet = machine.pollTunPacket())
      options.onTun(packet);
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent())
      events.push({ atMs: time.now, event });
    disarm();
    const wakeAt = machine.pollTimeout();
    if (wakeAt !== undefined) disarm = time.at(wakeAt, () => tell((m, now) => m.handleTimeout(now)));
  };
  const tell = (action: (machine: M, now: InstantMs) => void): void => {
    if (waiting !== undefined) {
      waiting.push(action);
      return;
    }
    action(machine, time.now);
    drain();
  };
  const pause = (): void => {
    disarm();
    waiting = [];
  };
  const resume = (): void => {
    const inputs = waiting ?? [];
    waiting = undefined;
    tell((m, now) => m.handleTimeout(now));
    for (const input of inputs) tell(input);
  };
  const open = (local: SocketAddress): void =>
    host.bind(local, (payload, remote) => tell((m, now) => m.handleDatagram(now, { local, remote, payload })));

  for (const socket of options.sockets) open(socket);
  host.onTunnelled = ({ payload }) => tell((m, now) => m.handleTunPacket(now, payload));
  tell((m, now) => m.start(now));
  return { host, machine, events, tell, open, close: (socket) => host.unbind(socket), pause, resume };
}

/** A TUN reader for a home agent: the kernel routes the packet on. */
export function routeFromTun(host: SimHost): TunReader {
  return (bytes) => void host.send(ipv6Packet(bytes));
}
