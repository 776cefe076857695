/** A node from set-up to end: network, captures, isolation check, protocol and commands. */

import type { AgentReport, NodeSetup, RoleSetup, RuleText } from "../../control/messages.ts";
import type { NodeEvent } from "../../core/events.ts";
import type { InstantMs } from "../../core/machine.ts";
import { type Capture, startCapture } from "../capture/capture.ts";
import type { NodeFailure } from "../failure.ts";
import type { ImpairedInterfaces } from "../link/impairments.ts";
import { watchInterfaces } from "../network/interface-watch.ts";
import { verifyIsolation } from "../network/isolation.ts";
import { requireOwnNamespaces, setUpNetwork } from "../network/network.ts";
import { ruleCounters } from "../network/rule-counters.ts";
import { replaceRules } from "../network/rules.ts";
import { now, readClocks } from "../process/clock.ts";
import type { Reports } from "../process/control-channel.ts";
import { reapOrphans } from "../process/reaper.ts";
import type { UdpSocket } from "../sockets/udp-socket.ts";
import { createAutostart } from "../traffic/autostart.ts";
import { startEchoServer } from "../traffic/echo.ts";
import { startNat64 } from "../tun/nat64.ts";
import { openNat64Tun, openTun, type TunDevice } from "../tun/tun.ts";
import { createDaemons, type Daemons } from "./daemons.ts";
import { createCommands, type NodeCommand, peerAddressOf } from "./node-commands.ts";
import { openProtocolNode } from "./protocol-node.ts";
import { openRestartable, type RestartableNode } from "./restartable-node.ts";

export interface Node {
  /** Executes a command and reports the result. Rejects when the node has to stop. */
  command(command: NodeCommand): Promise<void>;
  /** Continues without an orchestrator: captures end, because nothing reads them any more. */
  release(): void;
  /** Ends captures and protocol, releases the node's network and sends the last report. */
  finish(): Promise<void>;
  /** The same, but keeps the network for reuse. */
  reset(): Promise<Place>;
}

/** What remains of a node after a reset. */
export interface Place {
  readonly setup: NodeSetup;
  readonly interfaces: ImpairedInterfaces;
  readonly tun: TunDevice | undefined;
}

/** Echo requests that a node without an orchestrator sends. */
const AUTOSTART_ECHO = { count: 5, intervalMs: 200, sizeBytes: 64, timeoutMs: 1000 } as const;

/**
 * Sets up a node and reports `ready`. The order matters: rules before links, links before captures and sockets, and the
 * isolation check before anything is sent. Throws NodeFailure.
 */
export async function startNode(setup: NodeSetup, reports: Reports): Promise<Node> {
  const phases = createPhases();
  requireOwnNamespaces();
  const tun = openTunOf(setup.role);
  const interfaces = await setUpNetwork(setup);
  phases.mark("network");
  const node = await occupy({ setup, interfaces, tun }, reports, phases);
  reapOrphans();
  return node;
}

/** The TUN device of a role, if it has one. */
function openTunOf(role: RoleSetup): TunDevice | undefined {
  if (role.type === "router") return role.nat64 === undefined ? undefined : openNat64Tun();
  return "tunMtu" in role ? openTun() : undefined;
}

/** Starts a node with other rules in the place of one that was reset, and reports `ready`. Throws NodeFailure. */
export async function reuseNode(
  { setup, ...place }: Place,
  rules: readonly RuleText[],
  reports: Reports,
): Promise<Node> {
  const phases = createPhases();
  await replaceRules(setup.rules, rules);
  phases.mark("network");
  return occupy({ ...place, setup: { ...setup, rules } }, reports, phases);
}

async function occupy(place: Place, reports: Reports, phases: Phases): Promise<Node> {
  const { setup, interfaces, tun } = place;
  const peerAddress = peerAddressOf(setup.role);
  const listeners: ((event: NodeEvent) => void)[] = [];
  const report = (atMs: InstantMs, event: NodeEvent): void => {
    reports.send({ type: "event", atMs, event });
    for (const listener of listeners) listener(event);
  };
  const capturing = setup.capture ? startCaptures(setup, interfaces, reports) : [];
  const protocol = openRestartable(
    setup,
    (at, run) => openProtocolNode(drawingAnew(at, run), tun, report),
    () => report(now(), { type: "program-ended" }),
  );
  if (tun !== undefined && setup.role.type === "router" && setup.role.nat64 !== undefined)
    startNat64(tun, setup.role.nat64);
  const echoServer = peerAddress === undefined ? undefined : startEchoServer(peerAddress);
  const [captures] = await Promise.all([capturing, verifyIsolation(setup)]);
  phases.mark("captures-and-sockets");
  const daemons = createDaemons(setup.daemons ?? [], throwFailure);
  if (setup.daemons !== undefined) {
    await daemons.start();
    phases.mark("daemons");
  }
  const node = createNode(place, { captures, protocol, echoServer, daemons }, reports);
  if (setup.autostart !== undefined) listeners.push(autostart(setup, setup.autostart.connect, node));
  reports.send({ type: "ready", phasesMs: phases.result(), ...ifAny(interfaces.impaired) });
  if (setup.startsOn !== "command") protocol?.start();
  return node;
}

/** The set-up of a later run of a node's protocol: what it draws is not what it drew before. */
function drawingAnew(setup: NodeSetup, run: number): NodeSetup {
  const { role } = setup;
  if (run === 0 || !("seed" in role)) return setup;
  return { ...setup, role: { ...role, seed: `${role.seed}${run.toString(16).padStart(8, "0")}` } };
}

/** A capture and its segment. */
interface InterfaceCapture {
  readonly segment: string;
  readonly capture: Capture;
}

function startCaptures(
  setup: NodeSetup,
  interfaces: ImpairedInterfaces,
  reports: Reports,
): Promise<readonly InterfaceCapture[]> {
  return Promise.all(
    setup.interfaces.map(async (iface) => ({
      segment: iface.segment,
      capture: await startCapture(interfaces.underlyingNameOf(iface), (piece) => {
        reports.send({ type: "capture", segment: iface.segment, data: piece.toString("base64") });
        return reports.flushed();
      }),
    })),
  );
}

/** The parts of a node beside its place. */
interface NodeParts {
  readonly captures: readonly InterfaceCapture[];
  readonly protocol: RestartableNode | undefined;
  readonly echoServer: UdpSocket | undefined;
  readonly daemons: Daemons;
}

/** For failures that nobody waits for: the process ends with them. */
function throwFailure(failure: NodeFailure): never {
  throw failure;
}

/** The field `links` of a report; omitted when empty. */
function ifAny<Link>(links: readonly Link[]): { readonly links?: readonly Link[] } {
  return links.length === 0 ? {} : { links };
}

function createNode(place: Place, parts: NodeParts, reports: Reports): Node {
  const { captures, protocol, echoServer, daemons } = parts;
  const { setup, interfaces, tun } = place;
  const watched = setup.interfaces.map((iface) => ({
    segment: iface.segment,
    name: interfaces.underlyingNameOf(iface),
  }));
  const stopWatching = watchInterfaces(watched, throwFailure);
  const stopCaptures = once(() => {
    for (const { segment, capture } of captures) reports.send({ type: "capture-done", segment, ...capture.stop() });
  });
  const end = async (): Promise<AgentReport> => {
    stopWatching();
    stopCaptures();
    const counters = { ...protocol?.counters(), ...(await ruleCounters(setup.rules)) };
    protocol?.close();
    echoServer?.close();
    await daemons.stop();
    return { type: "bye", clock: readClocks(), counters, ...ifAny(await interfaces.figures()) };
  };
  return {
    command: createCommands({ setup, interfaces, protocol, daemons, reports }),
    release() {
      stopWatching();
      stopCaptures();
    },
    finish: once(async () => {
      reports.send(await end());
      // The kernel takes tens of milliseconds to remove a device; there is no need to wait.
      await reports.flushed();
      interfaces.close();
      tun?.close();
    }),
    reset: once(async () => {
      reports.send(await end());
      return place;
    }),
  };
}

/** Calls `action` on the first call only; every call returns its result. */
function once<T>(action: () => T): () => T {
  let done: { readonly result: T } | undefined;
  return () => (done ??= { result: action() }).result;
}

function autostart({ role }: NodeSetup, peers: readonly string[], node: Node): (event: NodeEvent) => void {
  let id = 0;
  const command = (value: NodeCommand): void => void node.command(value);
  const actions = {
    connect: (peer: string) => command({ type: "connect", peer }),
    echo: (peer: string) => command({ type: "echo", id: id++, to: peer, ...AUTOSTART_ECHO }),
    after: (delayMs: number, action: () => void) => void setTimeout(action, delayMs),
  };
  return createAutostart(peers, actions, { registers: role.type !== "stationary-node" });
}

/** Durations of the steps of a start, milliseconds. */
interface Phases {
  readonly mark: (name: string) => void;
  readonly result: () => Readonly<Record<string, number>>;
}

function createPhases(): Phases {
  const durations: Record<string, number> = {};
  let last = now();
  return {
    mark(name) {
      const at = now();
      durations[name] = Math.round((at - last) * 10) / 10;
      last = at;
    },
    result: () => durations,
  };
}
