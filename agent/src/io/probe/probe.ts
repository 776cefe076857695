/** Probes of the NATs and firewalls in front of this node: runs the probe machines with their sockets and a timer. */

import type { AgentCommand, LifetimeObservation, NatObservation } from "../../control/messages.ts";
import type { SocketAddress } from "../../core/address.ts";
import type { Datagram } from "../../core/machine.ts";
import { LifetimeProbe, type Silence } from "../../core/nat-probe/lifetime-probe.ts";
import { NatProbe } from "../../core/nat-probe/nat-probe.ts";
import type { ProbeMachine } from "../../core/nat-probe/probe-machine.ts";
import { now } from "../process/clock.ts";
import { createSeededRng } from "../process/entropy.ts";
import type { OpenSocket } from "../sockets/open-socket.ts";
import type { UdpSocket } from "../sockets/udp-socket.ts";

type Command<Type> = Extract<AgentCommand, { readonly type: Type }>;

/** Discovers the behaviour of the NATs and firewalls on the path to a server. Throws `socket-failed`. */
export function probeMiddleboxes(
  openSocket: OpenSocket,
  { local, ports, server, waitMs, seed }: Command<"probe">,
): Promise<NatObservation> {
  const sockets = ports.map((port) => ({ ip: local, port }));
  return withSockets(
    openSocket,
    sockets,
    (opened) => new NatProbe({ sockets: opened, server, waitMs }, createSeededRng(seed)),
  );
}

/** Measures how long mappings on the path last, and what refreshes them; takes as long as the longest silence. */
export function probeLifetime(
  openSocket: OpenSocket,
  command: Command<"probe-lifetime">,
): Promise<LifetimeObservation> {
  const { local, server, silencesMs, refreshSilenceMs, waitMs, seed } = command;
  const anyPort = { ip: local, port: 0 };
  const wanted: readonly Omit<Silence, "socket">[] = [
    ...silencesMs.map((delayMs) => ({ delayMs })),
    { delayMs: refreshSilenceMs, refresh: "outbound" },
    { delayMs: refreshSilenceMs, refresh: "inbound" },
  ];
  return withSockets(openSocket, [anyPort, ...wanted.map(() => anyPort)], ([asker = anyPort, ...sockets]) => {
    const silences = wanted.map((silence, i) => ({ ...silence, socket: sockets[i] ?? anyPort }));
    return new LifetimeProbe({ asker, silences, server, waitMs }, createSeededRng(seed));
  });
}

/** Opens sockets, runs the probe on them to its end, and closes them. */
async function withSockets<Result>(
  openSocket: OpenSocket,
  addresses: readonly SocketAddress[],
  makeProbe: (opened: readonly SocketAddress[]) => ProbeMachine<Result>,
): Promise<Result> {
  let take: (datagram: Datagram) => void = () => undefined;
  const sockets: UdpSocket[] = [];
  try {
    for (const address of addresses)
      sockets.push(openSocket(address, (datagrams) => datagrams.forEach((datagram) => take(datagram))));
    const probe = makeProbe(sockets.map(({ local }) => local));
    return await drive(probe, sockets, (onDatagram) => (take = onDatagram));
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Like the driver of a node, for a machine that ends. */
function drive<Result>(
  probe: ProbeMachine<Result>,
  sockets: readonly UdpSocket[],
  listen: (onDatagram: (datagram: Datagram) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    // Node runs timers before it polls sockets: on a busy machine an answer may have arrived when the timer fires.
    const wakeAfterSockets = (): void => void setImmediate(wake);
    const settle = (): void => {
      for (let out = probe.pollTransmit(); out !== undefined; out = probe.pollTransmit()) {
        const { local, remote, payload } = out;
        sockets.find((socket) => socket.local.port === local.port)?.send(payload, remote);
      }
      clearTimeout(timer);
      const result = probe.result();
      const wakeAt = probe.pollTimeout();
      if (result !== undefined) resolve(result);
      else if (wakeAt !== undefined) timer = setTimeout(wakeAfterSockets, Math.max(wakeAt - now(), 0));
    };
    const wake = (): void => {
      probe.handleTimeout(now());
      settle();
    };
    listen((datagram) => {
      probe.handleDatagram(now(), datagram);
      settle();
    });
    probe.start(now());
    settle();
  });
}
