/**
 * Gathering of local candidates (SPEC 2.2 and 2.3; RFC 8445 section 5.1.1): sockets are host candidates, STUN
 * servers report its server-reflexive ones, and the relayed candidate is configured. Mappings are refreshed until
 * gathering is stopped.
 */

import { familyOf, type SocketAddress, sameSocketAddress } from "../address.ts";
import { isRoutable } from "../address-scope.ts";
import { type LocalSocket, reaches } from "../local-socket.ts";
import type { InstantMs, Rng, Transmit } from "../machine.ts";
import type { IceProfile } from "../node/agent-settings.ts";
import { encodeBindingQuery, judgeBindingAnswer } from "../stun/binding-query.ts";
import { TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { retransmissionSchedule, StunTransaction } from "../stun/transaction.ts";
import {
  hostCandidate,
  type LocalCandidate,
  sameLocalCandidate,
  serverReflexiveCandidate,
  withoutRedundant,
} from "./candidate.ts";
import { GATHERING_TIMEOUT_MS, MAPPING_REFRESH_MS, PROFILE_TIMING, REQUEST_COUNT, TAIL_MULTIPLE } from "./constants.ts";
import { createPacer, type Pacer, type Turns } from "./pacer.ts";

/** Configuration of a gathering. */
export interface GatheringConfig {
  readonly profile: IceProfile;
  /** The sockets of the node, best first. */
  readonly bases: readonly LocalSocket[];
  /** STUN servers, best first; each is queried from the sockets that reach it. */
  readonly servers: readonly SocketAddress[];
  /** The home address as candidate; absent for a node without a home agent. */
  readonly relayed?: LocalCandidate;
  readonly rng: Rng;
  /** The pacer of the node; by default a new one. */
  readonly pacer?: Pacer;
}

/** Events of a gathering. */
export type GatheringEvent =
  | { readonly type: "candidate"; readonly candidate: LocalCandidate }
  /** Every query is answered or has failed, or gathering has timed out; later answers still add candidates. */
  | { readonly type: "done"; readonly candidates: readonly LocalCandidate[] }
  /** A refresh showed another mapped address: the NAT has lost the mapping, and paths with the old address are dead. */
  | { readonly type: "mapping-changed"; readonly before: LocalCandidate; readonly after: LocalCandidate }
  | {
      readonly type: "server-failed";
      readonly base: SocketAddress;
      readonly server: SocketAddress;
      readonly reason: string;
    };

/** Gathering for all sockets of a node, once: other sockets need a new one. */
export interface Gathering {
  /** Reports known candidates at once and queries the servers. */
  start(now: InstantMs): void;
  /** Stops queries: mappings are left to expire, candidates stay as they are. */
  stop(): void;
  /** Every query is answered or has failed, or gathering has timed out. */
  readonly isDone: boolean;
  /** Candidates found so far, best first, without redundant ones. */
  candidates(): readonly LocalCandidate[];
  /** True for the transaction ID of an open query. */
  ownsTransaction(transactionId: Uint8Array): boolean;
  /** Takes an answer; ignores one without an open query, or not from the queried server. */
  handleStun(now: InstantMs, datagram: StunDatagram): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  pollEvent(): GatheringEvent | undefined;
  pollTimeout(): InstantMs | undefined;
}

/** Makes a gathering for these sockets; it is idle before `start`. */
export function createGathering(config: GatheringConfig): Gathering {
  return new ServerQuestions(config);
}

/** A query for the mapped address of one socket at one server. */
interface Target {
  readonly base: LocalSocket;
  readonly server: SocketAddress;
  /** 0 for the best server from the best socket. */
  readonly rank: number;
  open: { readonly id: string; readonly transaction: StunTransaction } | undefined;
  /** Time of the next query. */
  dueAt: InstantMs;
  isSettled: boolean;
  candidate: LocalCandidate | undefined;
}

class ServerQuestions implements Gathering {
  readonly #config: GatheringConfig;
  readonly #hosts: readonly LocalCandidate[];
  readonly #targets: readonly Target[];
  readonly #transmits: Transmit[] = [];
  readonly #events: GatheringEvent[] = [];
  readonly #turns: Turns;
  #state: "new" | "gathering" | "done" | "stopped" = "new";
  #nextRequestAt: InstantMs = -Infinity;
  #startedAt: InstantMs = Infinity;

  constructor(config: GatheringConfig) {
    this.#config = config;
    this.#turns = (config.pacer ?? createPacer()).turns();
    const bases = config.bases.filter(({ ip }) => isRoutable(ip));
    this.#hosts = bases.map(hostCandidate);
    this.#targets = bases.flatMap((base, i) =>
      config.servers
        .map((server, j) => newTarget(base, server, i * config.servers.length + j))
        .filter(({ server: { ip } }) => familyOf(ip) === familyOf(base.ip) && reaches(base, ip)),
    );
  }

  start(now: InstantMs): void {
    if (this.#state !== "new") return;
    this.#state = "gathering";
    this.#startedAt = now;
    for (const candidate of this.candidates()) this.#events.push({ type: "candidate", candidate });
    this.#advance(now);
  }

  stop(): void {
    this.#state = "stopped";
    this.#turns.cancel();
    for (const target of this.#targets) target.open = undefined;
  }

  get isDone(): boolean {
    return this.#state === "done" || this.#state === "stopped";
  }

  candidates(): readonly LocalCandidate[] {
    const { relayed } = this.#config;
    const reflexive = this.#targets.flatMap(({ candidate }) => candidate ?? []);
    return withoutRedundant([...this.#hosts, ...reflexive, ...(relayed === undefined ? [] : [relayed])]);
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#targetOf(transactionId) !== undefined;
  }

  handleStun(now: InstantMs, { local, remote, message }: StunDatagram): void {
    const target = this.#targetOf(message.transactionId);
    if (target?.open === undefined) return;
    if (!sameSocketAddress(remote, target.server) || !sameSocketAddress(local, target.base)) return;
    const outcome = judgeBindingAnswer(message);
    if (outcome === undefined) return;
    target.open = undefined;
    target.dueAt = now + MAPPING_REFRESH_MS;
    if (typeof outcome === "string") this.#reportFailure(target, outcome);
    else this.#learn(target, outcome);
    target.isSettled = true;
    this.#advance(now);
  }

  handleTimeout(now: InstantMs): void {
    for (const target of this.#targets) this.#continue(now, target);
    this.#advance(now);
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollEvent(): GatheringEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): InstantMs | undefined {
    if (this.#state === "new" || this.#state === "stopped") return undefined;
    const instants = this.#targets.map(
      ({ open, dueAt }) => open?.transaction.pollTimeout() ?? Math.max(dueAt, this.#nextRequestAt, this.#turns.nextAt),
    );
    const nextAt = Math.min(...instants, this.#state === "gathering" ? this.#timeoutAt : Infinity);
    return nextAt === Infinity ? undefined : nextAt;
  }

  /** The time limit is for servers; queueing time within the node does not count. */
  get #timeoutAt(): InstantMs {
    const { isInLine, waitedMs } = this.#turns;
    return isInLine ? Infinity : this.#startedAt + GATHERING_TIMEOUT_MS + waitedMs;
  }

  #advance(now: InstantMs): void {
    if (this.#state === "new" || this.#state === "stopped") return;
    const due = this.#targets.find(({ open, dueAt }) => open === undefined && dueAt <= now);
    if (due === undefined || now < this.#nextRequestAt) this.#turns.cancel();
    else if (this.#turns.take(now)) this.#ask(now, due);
    const isSettled = this.#targets.every((target) => target.isSettled);
    if (this.#state !== "gathering" || !(isSettled || now >= this.#timeoutAt)) return;
    this.#state = "done";
    this.#events.push({ type: "done", candidates: this.candidates() });
  }

  #ask(now: InstantMs, target: Target): void {
    const { taMs, rtoFloorMs } = PROFILE_TIMING[this.#config.profile];
    const transactionId = this.#config.rng.bytes(TRANSACTION_ID_LENGTH);
    const request = { local: target.base, remote: target.server, payload: encodeBindingQuery(transactionId) };
    const rtoMs = Math.max(rtoFloorMs, taMs * this.#targets.length);
    const schedule = retransmissionSchedule({ rtoMs, requestCount: REQUEST_COUNT, tailMultiple: TAIL_MULTIPLE });
    target.open = { id: transactionKey(transactionId), transaction: new StunTransaction(now, request, schedule) };
    this.#nextRequestAt = now + taMs;
    this.#continue(now, target);
  }

  /** Advances a query in time: a retransmission, or its failure. */
  #continue(now: InstantMs, target: Target): void {
    if (target.open === undefined) return;
    const { transaction } = target.open;
    transaction.handleTimeout(now);
    const transmit = transaction.pollTransmit();
    if (transmit !== undefined) this.#transmits.push(transmit);
    if (transaction.state !== "timed-out") return;
    target.open = undefined;
    target.dueAt = now + MAPPING_REFRESH_MS;
    this.#reportFailure(target, "no answer");
    target.isSettled = true;
  }

  #learn(target: Target, mapped: SocketAddress): void {
    const before = target.candidate;
    const after = serverReflexiveCandidate(mapped, target.base, target.rank);
    if (before !== undefined && sameLocalCandidate(before, after)) return;
    const known = this.candidates();
    target.candidate = after;
    if (before !== undefined) this.#events.push({ type: "mapping-changed", before, after });
    const isNew = !known.some((candidate) => sameLocalCandidate(candidate, after));
    if (isNew) this.#events.push({ type: "candidate", candidate: after });
  }

  #reportFailure({ base, server }: Target, reason: string): void {
    this.#events.push({ type: "server-failed", base, server, reason });
  }

  #targetOf(transactionId: Uint8Array): Target | undefined {
    const id = transactionKey(transactionId);
    return this.#targets.find(({ open }) => open?.id === id);
  }
}

function newTarget(base: LocalSocket, server: SocketAddress, rank: number): Target {
  return { base, server, rank, open: undefined, dueAt: -Infinity, isSettled: false, candidate: undefined };
}
