/**
 * One session with one peer, named by its home address: who offers, which generation of ICE runs, which bindings hold,
 * and which way data goes. The parts know their own protocol; this file only connects them.
 */

import type { SocketAddress } from "../address.ts";
import type { IceEvent } from "../ice/ice-machine.ts";
import { isRelayed } from "../ice/pair.ts";
import { assertNever, type Datagram, type InstantMs } from "../machine.ts";
import type { MobilityMessage } from "../mip6/messages.ts";
import { BINDING_ERROR_STATUS } from "../mip6/status.ts";
import { createAnswerer } from "./answerer.ts";
import type { Generation } from "./generation.ts";
import { iceCounters } from "./ice-counters.ts";
import { createInboundBinding } from "./inbound-binding.ts";
import { minInstant } from "./min-instant.ts";
import { createOfferer } from "./offerer.ts";
import { createOutboundBinding } from "./outbound-binding.ts";
import type { ReceivedMobility, SessionEnvironment } from "./session-environment.ts";
import type { SessionHost } from "./session-host.ts";
import { createSessionPath, type DirectRoute } from "./session-path.ts";

export interface Session {
  readonly peer: string;
  /** The direct way for data; undefined means through the home agents. */
  readonly route: DirectRoute | undefined;
  /** Gathering, waiting for an answer, or checking: the outcome is still to come. */
  readonly isSettingUp: boolean;
  /** The ICE agent of the current generation. */
  readonly ice: Generation["ice"] | undefined;
  /** Offers; a session that exists is restarted. */
  offer(now: InstantMs): void;
  /** The local addresses changed: data takes the home agents' path, checks of the old addresses end. */
  leaveDirectPath(): void;
  handleMobility(now: InstantMs, received: ReceivedMobility): void;
  /** Takes STUN that belongs to the current generation. */
  handleStun(now: InstantMs, datagram: Datagram): void;
  /** True when data from `remote` at the socket `local` may be the peer's. */
  acceptsDataFrom(local: SocketAddress, remote: SocketAddress): boolean;
  noteDataSent(now: InstantMs): void;
  /** What the current generation of ICE counted; earlier ones are in the counters of the node. */
  counters(): Readonly<Record<string, number>>;
  /** Ends everything; the session is not used any more. */
  close(): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

export function createSession(peer: string, node: SessionEnvironment): Session {
  const { outbox } = node;
  const env: SessionEnvironment = {
    ...node,
    gather: (now, forPeer, done) =>
      node.gather(now, forPeer, (at, candidates) => {
        done(at, candidates);
        advance(at);
      }),
  };
  const path = createSessionPath(peer, outbox);
  let generation: Generation | undefined;
  const host: SessionHost = {
    peer,
    env,
    path,
    get generation() {
      return generation;
    },
    remoteCredentials: undefined,
    adopt(next) {
      retire();
      generation = next;
      outbound.suspend();
      inbound.suspend();
    },
    fail(reason) {
      // A failed agent still answers the peer's checks; one that never met its peer has nobody to answer.
      if (generation?.ice.state !== "failed") retire();
      outbox.emit({ type: "session-failed", peer, reason });
      path.takeHome();
    },
  };
  const offerer = createOfferer(host);
  const answerer = createAnswerer(host, offerer);
  const outbound = createOutboundBinding(host, offerer);
  const inbound = createInboundBinding(host);
  const timed = [offerer, outbound, inbound] as const;

  /** Ends the generation; what it counted is kept by the node. */
  const retire = (): void => {
    const counted = generation === undefined ? {} : iceCounters(generation.ice.stats());
    for (const [name, amount] of Object.entries(counted)) outbox.count(name, amount);
    generation = undefined;
  };
  const conclude = (event: IceEvent): void => {
    const selected = generation?.ice.selectedPair();
    if (event.type === "failed") host.fail(event.reason);
    if (event.type !== "nominated" || selected === undefined) return;
    if (isRelayed(selected)) path.takeHome(selected);
    else outbound.request();
  };
  /** Moves what the ICE agent says and wants sent, then lets bindings act on it. */
  const advance = (now: InstantMs): void => {
    const ice = generation?.ice;
    for (let transmit = ice?.pollTransmit(); transmit !== undefined; transmit = ice?.pollTransmit())
      env.sendCheck(transmit);
    for (let event = ice?.pollEvent(); event !== undefined; event = ice?.pollEvent()) {
      if (event.type !== "failed" && event.type !== "released") outbox.emit({ ...event, peer });
      conclude(event);
    }
    outbound.advance(now);
    inbound.advance(now);
  };
  const isSettingUp = (): boolean =>
    (offerer.offering !== undefined && offerer.offering !== "refresh") ||
    answerer.isAnswering ||
    generation?.ice.state === "waiting" ||
    generation?.ice.state === "running";

  return {
    peer,
    get route() {
      return path.route;
    },
    get isSettingUp() {
      return isSettingUp();
    },
    get ice() {
      return generation?.ice;
    },
    offer(now) {
      answerer.abandon();
      offerer.offer(now, host.remoteCredentials === undefined ? "initial" : "restart");
    },
    leaveDirectPath() {
      retire();
      outbound.suspend();
      inbound.suspend();
      if (path.route !== undefined) path.takeHome();
    },
    handleMobility(now, received) {
      const { message } = received;
      if (isFromWrongWay(received)) return outbox.count(`dropped.${message.type}-off-home-path`);
      dispatch(now, received, { offerer, answerer, outbound, inbound }, env);
      advance(now);
    },
    handleStun(now, datagram) {
      generation?.ice.handleStun(now, datagram);
      advance(now);
    },
    acceptsDataFrom: (local, remote) =>
      path.accepts(local, remote) || generation?.ice.acceptsDataFrom(local, remote) === true,
    noteDataSent: (now) => generation?.ice.noteDataSent(now),
    close() {
      answerer.abandon();
      offerer.abandon();
      retire();
    },
    counters: () => (generation === undefined ? {} : iceCounters(generation.ice.stats())),
    handleTimeout(now) {
      for (const part of timed) part.handleTimeout(now);
      generation?.ice.handleTimeout(now);
      advance(now);
    },
    pollTimeout: () => minInstant(generation?.ice.pollTimeout(), ...timed.map((part) => part.pollTimeout())),
  };
}

interface SessionParts {
  readonly offerer: ReturnType<typeof createOfferer>;
  readonly answerer: ReturnType<typeof createAnswerer>;
  readonly outbound: ReturnType<typeof createOutboundBinding>;
  readonly inbound: ReturnType<typeof createInboundBinding>;
}

/** Return routability messages count only when they came through the home agents (digest 13). */
function isFromWrongWay({ message, way }: ReceivedMobility): boolean {
  return way.type === "pair" && !TYPES_ON_PAIRS.includes(message.type);
}

const TYPES_ON_PAIRS: readonly MobilityMessage["type"][] = ["binding-update", "binding-acknowledgement"];

function dispatch(
  now: InstantMs,
  received: ReceivedMobility,
  parts: SessionParts,
  { outbox }: SessionEnvironment,
): void {
  const { message } = received;
  switch (message.type) {
    case "home-test":
      return parts.offerer.takeHomeTest(now, message);
    case "care-of-test-ice":
      return parts.offerer.takeAnswer(now, message);
    case "care-of-test-init-ice":
      return parts.answerer.takeOffer(now, { ...received, message });
    case "binding-update":
      return parts.inbound.takeUpdate(now, { ...received, message });
    case "binding-acknowledgement":
      return parts.outbound.takeAcknowledgement(now, { ...received, message });
    case "binding-error":
      if (message.status === BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType)
        return parts.offerer.takeUnknownMessageError();
      return outbox.count("ignored.binding-error");
    case "binding-refresh-request":
    case "home-test-init":
    case "care-of-test-init":
    case "care-of-test":
      return outbox.count(`ignored.${message.type}`);
    default:
      return assertNever(message);
  }
}
