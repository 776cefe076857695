/** A node that speaks M-ICE: its machine with sockets, TUN device and driver around it. */

import type { NodeSetup } from "../control/messages.ts";
import { formatSocketAddress, sameSocketAddress } from "../core/address.ts";
import type { NodeEvent } from "../core/events.ts";
import type { InstantMs, Transmit } from "../core/machine.ts";
import type { NodeMachine } from "../core/mice/node-machine.ts";
import { now } from "./clock.ts";
import { createDriver, type Driver } from "./driver.ts";
import { createMachine } from "./machines.ts";
import type { TunDevice } from "./tun.ts";
import { openUdpSocket, type UdpSocket } from "./udp-socket.ts";

export interface ProtocolNode {
  /** Starts the protocol work. */
  start(): void;
  /** Offers a session to a peer. False when this node is none that can. */
  connect(peer: string): boolean;
  /** Counters of machine, sockets and TUN device since this was opened. */
  counters(): Readonly<Record<string, number>>;
  /** Ends the protocol. The TUN device stays; its packets are dropped until another node listens. */
  close(): void;
}

/** Opens what the role needs; undefined for a role without protocol, `tun` for a role without home addresses. Nothing is sent before `start`. */
export function openProtocolNode(
  setup: NodeSetup,
  tun: TunDevice | undefined,
  report: (atMs: InstantMs, event: NodeEvent) => void,
): ProtocolNode | undefined {
  const made = createMachine(setup.role);
  if (made === undefined) return undefined;
  const { machine, sockets: addresses, connect } = made;
  const sockets: UdpSocket[] = [];
  const tunBefore = { ...tun?.counters() };
  const driver = createDriver<NodeMachine>(machine, {
    now,
    send: (transmit) => send(sockets, transmit),
    writeTun: (packet) => tun?.write(packet),
    flush() {
      for (const socket of sockets) socket.flush();
      tun?.flush();
    },
    report,
  });
  for (const address of addresses) sockets.push(openUdpSocket(address, (batch) => driver.handleDatagrams(batch)));
  return {
    start() {
      tun?.listen((packets) => driver.handleTunPackets(packets));
      driver.start();
    },
    connect: (peer) => tellToConnect(driver, connect, peer),
    counters: () => {
      const ofSockets = sockets.map((socket) => socket.counters());
      return sum([machine.counters(), since(tunBefore, tun?.counters() ?? {}), ...ofSockets]);
    },
    close() {
      driver.stop();
      for (const socket of sockets) socket.close();
    },
  };
}

function tellToConnect(
  driver: Driver<NodeMachine>,
  connect: ((now: InstantMs, peer: string) => void) | undefined,
  peer: string,
): boolean {
  if (connect === undefined) return false;
  driver.tell((_machine, at) => connect(at, peer));
  return true;
}

function send(sockets: readonly UdpSocket[], { local, remote, payload }: Transmit): void {
  const socket = sockets.find((candidate) => sameSocketAddress(candidate.local, local));
  if (socket === undefined) throw new Error(`the machine sends from ${formatSocketAddress(local)}, which is no socket`);
  socket.queue(payload, remote);
}

function since(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

/** Counters of the same name added up. */
function sum(parts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}
