/**
 * Passes a STUN message to the right part of a node; checks with unknown ufrags are refused here (SPEC 1.4 and 2.8).
 */

import type { IceMachine } from "../ice/ice-machine.ts";
import type { Refusals } from "../ice/refusals.ts";
import { assertNever, type InstantMs, type Transmit } from "../machine.ts";
import type { Outbox } from "../node/outbox.ts";
import { findAttribute } from "../stun/message.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { authenticateRequest } from "../stun/short-term.ts";
import type { Session } from "./session.ts";

/** A client of a STUN server. */
interface StunClient {
  ownsTransaction(transactionId: Uint8Array): boolean;
  handleStun(now: InstantMs, datagram: StunDatagram): void;
}

export interface StunRoutes {
  readonly sessions: () => Iterable<Session>;
  readonly clients: () => Iterable<StunClient>;
  /** Sends an answer; one from the home address goes through the tunnel. */
  readonly send: (transmit: Transmit) => void;
  readonly refusals: Refusals;
  readonly outbox: Outbox;
}

/** Passes on a message: requests by USERNAME, responses by transaction. */
export function routeStun(now: InstantMs, datagram: StunDatagram, routes: StunRoutes): void {
  switch (datagram.message.class) {
    case "request":
      routeRequest(now, datagram, routes);
      break;
    case "success":
    case "error":
      routeResponse(now, datagram, routes);
      break;
    case "indication":
      routeIndication(now, datagram, routes);
      break;
    default:
      assertNever(datagram.message.class);
  }
}

/** By the left part of USERNAME, which is this node's ufrag. */
function routeRequest(now: InstantMs, datagram: StunDatagram, routes: StunRoutes): void {
  const [ownUfrag = ""] = (findAttribute(datagram.message, "username") ?? "").split(":");
  const receiver = findAgent(routes, (agent) => agent.ownsUsername(ownUfrag));
  if (receiver === undefined) refuse(now, datagram, routes);
  else receiver.handleStun(now, datagram);
}

/**
 * A check with an unknown ufrag, such as one to a private address that another node has: 400 or 401, while the source is
 * worth an answer.
 */
function refuse(now: InstantMs, datagram: StunDatagram, { send, refusals, outbox }: StunRoutes): void {
  if (!refusals.mayAnswer(now, datagram.remote)) {
    outbox.count("dropped.stun-refusal-rate");
    return;
  }
  const verdict = authenticateRequest(datagram, () => undefined);
  if (verdict.verdict !== "reject") return;
  outbox.count(`refused.stun-${verdict.code}`);
  send({ local: datagram.local, remote: datagram.remote, payload: verdict.reply });
}

function routeResponse(now: InstantMs, datagram: StunDatagram, routes: StunRoutes): void {
  const { transactionId } = datagram.message;
  const receiver =
    findAgent(routes, (agent) => agent.ownsTransaction(transactionId)) ??
    find(routes.clients(), (client) => client.ownsTransaction(transactionId));
  if (receiver === undefined) routes.outbox.count("dropped.stun-unawaited-response");
  else receiver.handleStun(now, datagram);
}

/** Keepalives of a peer; from other sources they have no effect (S20). */
function routeIndication(now: InstantMs, datagram: StunDatagram, routes: StunRoutes): void {
  const { local, remote } = datagram;
  const receiver = findAgent(routes, (agent) => agent.acceptsSignallingFrom(local, remote));
  if (receiver === undefined) routes.outbox.count("dropped.stun-stray-indication");
  else receiver.handleStun(now, datagram);
}

/** The session of the first ICE agent that matches, for a message to that agent. */
function findAgent(
  { sessions }: StunRoutes,
  matches: (agent: IceMachine) => boolean,
): Pick<StunClient, "handleStun"> | undefined {
  for (const session of sessions()) {
    const agent = session.agents().find(matches);
    if (agent !== undefined) return { handleStun: (now, datagram) => session.handleStun(now, datagram, agent) };
  }
  return undefined;
}

function find<T>(items: Iterable<T>, matches: (item: T) => boolean): T | undefined {
  for (const item of items) if (matches(item)) return item;
  return undefined;
}
