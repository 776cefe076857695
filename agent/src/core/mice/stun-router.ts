/** Which part of a node a STUN message is for; strangers' checks are refused here (SPEC 1.4 and 2.8). */

import type { Datagram, InstantMs, Transmit } from "../machine.ts";
import type { Outbox } from "../node/outbox.ts";
import { classifyStun } from "../stun/classify.ts";
import { findAttribute, type StunMessage } from "../stun/message.ts";
import { authenticateRequest } from "../stun/short-term.ts";
import type { Session } from "./session.ts";

/** Something that waits for answers of a STUN server. */
interface StunClient {
  ownsTransaction(transactionId: Uint8Array): boolean;
  handleStun(now: InstantMs, datagram: Datagram): void;
}

export interface StunRoutes {
  readonly sessions: () => Iterable<Session>;
  readonly clients: () => Iterable<StunClient>;
  /** Sends an answer; one from the home address goes through the tunnel. */
  readonly send: (transmit: Transmit) => void;
  readonly outbox: Outbox;
}

/** Takes a datagram that is STUN with a right FINGERPRINT. */
export function routeStun(now: InstantMs, datagram: Datagram, routes: StunRoutes): void {
  const received = classifyStun(datagram.payload, { requireFingerprint: true, isAwaited: () => true });
  switch (received.kind) {
    case "request": {
      routeRequest(now, datagram, received.message, routes);
      return;
    }
    case "response": {
      routeResponse(now, datagram, received.message, routes);
      return;
    }
    case "indication": {
      routeIndication(now, datagram, routes);
      return;
    }
    case "drop": {
      routes.outbox.count(`dropped.stun-${received.reason}`);
      return;
    }
  }
}

/** By the left part of USERNAME, which is the fragment that this node gave away. */
function routeRequest(now: InstantMs, datagram: Datagram, message: StunMessage, routes: StunRoutes): void {
  const [ownUfrag = ""] = (findAttribute(message, "username") ?? "").split(":");
  const session = find(routes.sessions(), ({ ice }) => ice?.ownsUsername(ownUfrag) === true);
  if (session === undefined) refuse(datagram, message, routes);
  else session.handleStun(now, datagram);
}

/** A check for nobody here, such as one to a private address that means somebody else elsewhere: 400 or 401. */
function refuse({ local, remote, payload }: Datagram, message: StunMessage, { send, outbox }: StunRoutes): void {
  const verdict = authenticateRequest({ bytes: payload, message }, () => undefined);
  if (verdict.verdict !== "reject") return;
  outbox.count(`refused.stun-${verdict.code}`);
  send({ local, remote, payload: verdict.reply });
}

function routeResponse(now: InstantMs, datagram: Datagram, { transactionId }: StunMessage, routes: StunRoutes): void {
  const session = find(routes.sessions(), ({ ice }) => ice?.ownsTransaction(transactionId) === true);
  const receiver = session ?? find(routes.clients(), (client) => client.ownsTransaction(transactionId));
  if (receiver === undefined) routes.outbox.count("dropped.stun-unawaited-response");
  else receiver.handleStun(now, datagram);
}

/** Keepalives of a peer; from elsewhere they mean nothing (S20). */
function routeIndication(now: InstantMs, datagram: Datagram, routes: StunRoutes): void {
  const session = find(routes.sessions(), ({ ice }) => ice?.acceptsDataFrom(datagram.local, datagram.remote) === true);
  if (session === undefined) routes.outbox.count("dropped.stun-stray-indication");
  else session.handleStun(now, datagram);
}

function find<T>(items: Iterable<T>, matches: (item: T) => boolean): T | undefined {
  for (const item of items) if (matches(item)) return item;
  return undefined;
}
