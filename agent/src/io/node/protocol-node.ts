/** A node that runs a protocol: its machine with sockets, TUN device and driver. */

import type { NodeSetup } from "../../control/messages.ts";
import type { NodeEvent } from "../../core/events.ts";
import type { InstantMs } from "../../core/machine.ts";
import type { NodeMachine } from "../../core/node/node-machine.ts";
import type { RefusedDatagram } from "../../core/refusal.ts";
import { noticeSuspension, now } from "../process/clock.ts";
import { createSocketSet } from "../sockets/socket-set.ts";
import type { TunDevice } from "../tun/tun.ts";
import { addCounters } from "./add-counters.ts";
import { createDriver } from "./driver.ts";
import { createMachine } from "./machines.ts";

/** After a suspension of the machine timers go on where they stood, so its end is looked for as often as this. */
const SUSPENSION_CHECK_MS = 250;

export interface ProtocolNode {
  /** Starts the protocol. */
  start(): void;
  /** Offers a session to a peer. False if this node cannot. */
  connect(peer: string): boolean;
  /** Continues at other local addresses, which the node already has by this set-up. False if this node cannot. */
  moveTo(setup: NodeSetup, localAddresses: readonly string[]): boolean;
  /** Removes the node's bindings. False if this node has none. */
  deregister(): boolean;
  /** Counters of machine, sockets and TUN device since `openProtocolNode`. */
  counters(): Readonly<Record<string, number>>;
  /** Stops the protocol. The TUN device stays; its packets are dropped until another node listens. */
  close(): void;
}

/**
 * Opens what the role needs; undefined for a role without a protocol. `tun` is undefined for a role without home
 * addresses. Sends nothing before `start`.
 */
export function openProtocolNode(
  setup: NodeSetup,
  tun: TunDevice | undefined,
  report: (atMs: InstantMs, event: NodeEvent) => void,
): ProtocolNode | undefined {
  const made = createMachine(setup);
  if (made === undefined) return undefined;
  const { machine, sockets: addresses, connect, handleRefusal, mobile } = made;
  const takeRefusals = (batch: readonly RefusedDatagram[]): void =>
    driver.tell((_machine, at) => {
      for (const refused of batch) handleRefusal?.(at, refused);
    });
  const sockets = createSocketSet(setup, (batch) => driver.handleDatagrams(batch), handleRefusal && takeRefusals);
  const tunBefore = { ...tun?.counters() };
  const driver = createDriver<NodeMachine>(machine, {
    now,
    send: (transmit) => sockets.send(transmit),
    writeTun: (packet) => tun?.write(packet),
    flush() {
      sockets.flush();
      tun?.flush();
    },
    report,
  });
  sockets.open(addresses);
  let suspensionWatch: NodeJS.Timeout | undefined;
  return {
    start() {
      tun?.listen((packets) => driver.handleTunPackets(packets));
      driver.start();
      suspensionWatch = setInterval(() => {
        if (noticeSuspension()) driver.clockJumped();
      }, SUSPENSION_CHECK_MS);
    },
    connect(peer) {
      if (connect === undefined) return false;
      driver.tell((_machine, at) => connect(at, peer));
      return true;
    },
    moveTo(later, localAddresses) {
      if (mobile === undefined) return false;
      const wanted = mobile.socketsAt(later, localAddresses);
      sockets.open(wanted);
      driver.tell((_machine, at) => mobile.retarget(at, wanted));
      sockets.closeAllBut(wanted);
      return true;
    },
    deregister() {
      if (mobile === undefined) return false;
      driver.tell((_machine, at) => mobile.deregister(at));
      return true;
    },
    counters: () => addCounters([machine.counters(), since(tunBefore, tun?.counters() ?? {}), ...sockets.counters()]),
    close() {
      clearInterval(suspensionWatch);
      driver.stop();
      sockets.closeAllBut([]);
    },
  };
}

function since(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}
