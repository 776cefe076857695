/** Shapes of a node's protocol events, one for each member of `NodeEvent`. */

import type { SocketAddress } from "../core/address.ts";
import {
  BINDING_REMOVALS,
  CANDIDATE_TYPES,
  type CandidateView,
  CHECK_KINDS,
  DATA_PATHS,
  ICE_ROLES,
  type NodeEvent,
  PAIR_DEATHS,
  PAIR_ENDS,
  type PairView,
} from "../core/events.ts";
import {
  array,
  boolean,
  integer,
  type Member,
  number,
  object,
  oneOf,
  optional,
  type Shape,
  string,
  unionByType,
} from "./shape.ts";

export const socketAddress: Shape<SocketAddress> = object<SocketAddress>({ ip: string, port: integer(0, 0xffff) });

const candidate: Shape<CandidateView> = object<CandidateView>({
  type: oneOf(...CANDIDATE_TYPES),
  address: socketAddress,
  base: optional(socketAddress),
  priority: number,
});

const pair: Shape<PairView> = object<PairView>({ local: candidate, remote: candidate });
const candidates = array(candidate);
const iceRole = oneOf(...ICE_ROLES);

type Fields<Type extends NodeEvent["type"]> = Omit<Member<NodeEvent, Type>, "type">;

/** Any protocol event of a node. */
export const nodeEvent: Shape<NodeEvent> = unionByType<NodeEvent>({
  "registration-sent": object({ sequence: number, careOf: socketAddress }),
  registered: object({ homeAddress: string, careOf: socketAddress, natDetected: boolean, lifetimeSec: number }),
  "registration-failed": object({ reason: string }),
  "program-ended": object<object>({}),
  deregistered: object({ homeAddress: string, isConfirmed: boolean }),
  "binding-registered": object({ homeAddress: string, observed: socketAddress, careOf: string, natDetected: boolean }),
  "binding-removed": object({ homeAddress: string, reason: oneOf(...BINDING_REMOVALS) }),
  candidate: object({ peer: string, candidate }),
  "mapping-changed": object({ peer: string, before: candidate, after: candidate }),
  "gathering-done": object({ peer: string, candidates: number }),
  "offer-requested": object({ peer: string }),
  "offer-sent": object({ peer: string, candidates, isRestart: boolean }),
  "offer-received": object({ peer: string, candidates, isRestart: boolean }),
  "answer-sent": object({ peer: string, candidates }),
  "answer-received": object({ peer: string, candidates }),
  "check-list": object({
    peer: string,
    role: iceRole,
    pairs: array(pair),
    cut: object({ pairs: number, candidates: number }),
  }),
  "check-sent": object({ peer: string, kind: oneOf(...CHECK_KINDS), pair }),
  "check-succeeded": object({ peer: string, pair, mapped: socketAddress, rttMs: number }),
  "check-failed": object({ peer: string, pair, reason: string }),
  "check-refused": object({ peer: string, pair, by: string, reason: string }),
  "check-received": object({ peer: string, from: socketAddress, local: socketAddress, nominating: boolean }),
  "peer-reflexive": object({ peer: string, side: oneOf(...PAIR_ENDS), candidate }),
  "role-conflict": object({ peer: string, role: iceRole }),
  "pair-valid": object({ peer: string, pair }),
  nominated: object({ peer: string, pair, afterMs: number }),
  "session-failed": object({ peer: string, reason: string }),
  "binding-update-sent": object({ peer: string, sequence: number, careOf: string }),
  "binding-update-received": object({ peer: string, sequence: number, careOf: string, status: number }),
  "binding-accepted": object({ peer: string, sequence: number, lifetimeSec: number }),
  "binding-rejected": object({ peer: string, status: number }),
  path: object<Fields<"path">>({ peer: string, path: oneOf(...DATA_PATHS), pair: optional(pair) }),
  "keepalive-sent": object({ peer: string, pair }),
  "pair-silent": object({ peer: string, pair }),
  "pair-dead": object({ peer: string, pair, reason: oneOf(...PAIR_DEATHS), silentMs: number }),
});
