/**
 * One session with one peer, identified by its home address: offers, the current generation of ICE, bindings, and the
 * path of data. Each part implements its protocol; this file only connects them.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { IceCredentials, IceEvent, IceMachine, ValidPair } from "../ice/ice-machine.ts";
import { isRelayed } from "../ice/pair.ts";
import type { InstantMs } from "../machine.ts";
import { minInstant } from "../min-instant.ts";
import { createMessageRate } from "../mip6/message-rate.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { InboundBinding } from "./binding/inbound-binding.ts";
import { OutboundBinding } from "./binding/outbound-binding.ts";
import { countIce, sumOfIceCounters } from "./ice-counters.ts";
import { Answerer } from "./offer/answerer.ts";
import { OfferRequest } from "./offer/offer-request.ts";
import { Offerer } from "./offer/offerer.ts";
import { Recovery } from "./recovery.ts";
import type { AddressChange } from "./session/address-change.ts";
import { longestAttemptMs } from "./session/attempt-time.ts";
import { DataSilence } from "./session/data-silence.ts";
import type { Generation } from "./session/generation.ts";
import { Generations, hasDirectPair } from "./session/generations.ts";
import type { ReceivedMobility, SessionEnvironment } from "./session/session-environment.ts";
import type { GatheringDone, SessionHost } from "./session/session-host.ts";
import { createSessionPath, type DirectRoute, type RouteOwner } from "./session/session-path.ts";
import { isFromWrongWay } from "./session/signalling-way.ts";
import { passToPart, type SessionParts } from "./session-parts.ts";

/** Least time between two offers that a peer requests. Profile: its first repetitions come after 1 and 3 s. */
const REQUEST_PAUSE_MS = 5000;

/** One session; made for a peer, closed when its place in the table is needed. */
export class Session {
  readonly peer: string;
  readonly #env: SessionEnvironment;
  readonly #offerer: Offerer;
  readonly #answerer: Answerer;
  readonly #request: OfferRequest;
  readonly #outbound: OutboundBinding;
  readonly #inbound: InboundBinding;
  readonly #recovery = new Recovery();
  readonly #silence = new DataSilence();
  /** When this node last began to offer. */
  #offeredAt: InstantMs | undefined;
  /** The controlling peer's deadline for a nomination; set once there is a valid pair. */
  #nominationDueAt: InstantMs | undefined;
  readonly #generations: Generations;
  /** The interface of this session for its parts. */
  readonly #state: SessionHost;
  readonly #parts: SessionParts;

  constructor(peer: string, env: SessionEnvironment) {
    this.peer = peer;
    this.#env = env;
    const generations = new Generations((stats) => countIce(env.outbox, stats));
    this.#generations = generations;
    this.#state = {
      peer,
      env,
      gather: (now, done) => this.#gather(now, done),
      path: createSessionPath(peer, env.outbox),
      rate: createMessageRate(),
      get generation() {
        return generations.current;
      },
      get standby() {
        return generations.standby?.generation;
      },
      remoteCredentials: undefined,
      adopt: (now, generation) => this.#adopt(now, generation),
      takeDirect: (now, pair, owner) => this.#takeDirect(now, pair, owner),
      doubt: (now) => this.#doubt(now),
      recall: (credentials) => this.#recall(credentials),
      fail: (now, reason) => this.#fail(now, reason),
      end: (now) => this.#end(now),
    };
    this.#offerer = new Offerer(this.#state);
    this.#answerer = new Answerer(this.#state, this.#offerer);
    this.#request = new OfferRequest(this.#state);
    this.#outbound = new OutboundBinding(this.#state, this.#offerer);
    this.#inbound = new InboundBinding(this.#state);
    this.#parts = {
      offerer: this.#offerer,
      answerer: this.#answerer,
      outbound: this.#outbound,
      inbound: this.#inbound,
      takeRequest: (now) => this.#takeRequest(now),
      count: (name) => env.outbox.count(name),
    };
  }

  /** The direct path for data; undefined means through the home agents. */
  get route(): DirectRoute | undefined {
    return this.#state.path.route;
  }

  /** Gathering, waiting for an answer, or checking: not concluded. */
  get isSettingUp(): boolean {
    const { offering } = this.#offerer;
    const state = this.#state.generation?.ice.state;
    const isOffering = offering !== undefined && offering !== "refresh";
    const isDescribing = isOffering || this.#request.isOpen || this.#answerer.isAnswering;
    return isDescribing || state === "waiting" || state === "running";
  }

  /** Set up or being set up, also again; false for a session that failed or never began. */
  get isAlive(): boolean {
    return this.isSettingUp || this.#recovery.isActive || this.#state.generation?.ice.state === "completed";
  }

  /** The ICE agent of the current generation. */
  get ice(): IceMachine | undefined {
    return this.#state.generation?.ice;
  }

  /** The ICE agents of all generations that may get messages, the current one first. */
  agents(): readonly IceMachine[] {
    return this.#generations.all().map(({ ice }) => ice);
  }

  /** Offers, or requests an offer; an existing session is restarted. */
  offer(now: InstantMs): void {
    this.#answerer.abandon();
    this.#recovery.noteOffer();
    this.#offeredAt = now;
    if (this.#env.isStationary) this.#request.start(now);
    else this.#offerer.offer(now, this.#state.remoteCredentials === undefined ? "initial" : "restart");
  }

  /**
   * The local addresses changed. A pair whose base is still there carries data until another one is found; without one
   * data takes the home agents' path. True when candidates are to be offered anew.
   */
  changeAddresses(now: InstantMs, { kept, hasNew }: AddressChange): boolean {
    const isWanted = this.isAlive;
    const base = this.#state.path.isDirect ? this.#generations.inUse?.ice.selectedPair()?.local.base : undefined;
    if (base === undefined || !kept.some((socket) => sameSocketAddress(socket, base))) {
      this.#leaveDirectPath(now);
      return isWanted;
    }
    for (const generation of this.#generations.all()) generation.releaseCandidates();
    if (!hasNew && !this.isSettingUp) return false;
    this.#revert();
    this.#offerer.abandon();
    this.#answerer.abandon();
    return true;
  }

  #leaveDirectPath(now: InstantMs): void {
    this.#abandon();
    this.#recovery.stop();
    this.#outbound.suspend();
    this.#inbound.suspend();
    if (this.#state.path.route !== undefined) this.#state.path.takeHome(now);
  }

  /** The network behind this socket is not what it was: a pair of it may be dead. */
  suspectPairOf(now: InstantMs, socket: SocketAddress): void {
    const base = this.#generations.inUse?.ice.selectedPair()?.local.base;
    if (base !== undefined && sameSocketAddress(base, socket)) this.#suspect(now);
  }

  /** The node has not run for a while: its pair may be dead, and a restart that waits for its turn is due. */
  resume(now: InstantMs): void {
    if (this.isAlive) this.#suspect(now);
  }

  /** The node leaves: its binding at the peer is deleted, and nothing is restored. */
  leave(now: InstantMs): void {
    this.#outbound.leave(now);
    this.#end(now);
  }

  /** Takes a message of the peer with a correct checksum. */
  handleMobility(now: InstantMs, received: ReceivedMobility): void {
    if (isFromWrongWay(received)) this.#env.outbox.count(`dropped.${received.message.type}-off-home-path`);
    else passToPart(now, received, this.#parts);
    this.#advance(now);
  }

  /**
   * The peer has no Mobile IPv6, by an unauthenticated error; `quoted` is the beginning of the quoted Mobility Header.
   */
  handleNoMobility(now: InstantMs, quoted: Uint8Array): void {
    this.#offerer.takeHeaderRefusal(now, quoted);
  }

  /** Takes a STUN message for one of the agents. */
  handleStun(now: InstantMs, datagram: StunDatagram, agent: IceMachine): void {
    agent.handleStun(now, datagram);
    this.#advance(now);
  }

  /** Takes an ICMP error for a datagram that may have been a check. */
  handleRefusal(now: InstantMs, refused: RefusedDatagram): void {
    this.#state.generation?.ice.handleRefusal(refused);
    this.#advance(now);
  }

  /**
   * True when data from `remote` at the socket `local` is accepted as the peer's. An answerer sends its data direct when
   * it has accepted the update, which its acknowledgement may reach later; an offerer, with the acknowledgement.
   */
  acceptsDataFrom(now: InstantMs, local: SocketAddress, remote: SocketAddress): boolean {
    const { path, generation, standby } = this.#state;
    return (
      path.accepts(now, local, remote) ||
      (generation?.origin === "offer" && generation.ice.acceptsDataFrom(local, remote)) ||
      standby?.ice.acceptsDataFrom(local, remote) === true
    );
  }

  /** True when a Mobility Header from `remote` at the socket `local` is accepted as the peer's, to be authenticated. */
  acceptsSignallingFrom(now: InstantMs, local: SocketAddress, remote: SocketAddress): boolean {
    return (
      this.#state.path.accepts(now, local, remote) ||
      this.agents().some((agent) => agent.acceptsSignallingFrom(local, remote))
    );
  }

  noteDataSent(now: InstantMs): void {
    this.#silence.noteSent(now);
    this.#generations.inUse?.ice.noteDataSent(now);
  }

  noteDataReceived(now: InstantMs): void {
    this.#silence.noteReceived(now);
  }

  /** Counters of the ICE agents; those of earlier generations are in the node's counters. */
  counters(): Readonly<Record<string, number>> {
    return sumOfIceCounters(this.agents().map((agent) => agent.stats()));
  }

  /** Ends everything; the session is not used any more. */
  close(): void {
    this.#abandon();
  }

  handleTimeout(now: InstantMs): void {
    this.#offerer.handleTimeout(now);
    this.#request.handleTimeout(now);
    this.#outbound.handleTimeout(now);
    this.#inbound.handleTimeout(now);
    for (const agent of this.agents()) agent.handleTimeout(now);
    this.#advance(now);
    if (now >= (this.#nominationDueAt ?? Infinity)) this.#fail(now, "the peer nominated no pair");
    if (now >= (this.#generations.standby?.until ?? Infinity)) this.#revert();
    if (this.#recovery.takeDue(now) && !this.isSettingUp) this.offer(now);
    if (this.#silence.takeDue(now) && this.route !== undefined) this.#generations.inUse?.ice.question(now);
  }

  pollTimeout(): InstantMs | undefined {
    return minInstant(
      ...this.agents().map((agent) => agent.pollTimeout()),
      this.#generations.standby?.until,
      this.#offerer.pollTimeout(),
      this.#request.pollTimeout(),
      this.#outbound.pollTimeout(),
      this.#inbound.pollTimeout(),
      this.#recovery.pollTimeout(),
      this.#silence.pollTimeout(),
      this.#nominationDueAt,
    );
  }

  /** Candidates lead to an offer or answer, and that to checks. */
  #gather(now: InstantMs, done: GatheringDone): () => void {
    return this.#env.gather(now, this.peer, {
      done: (at, candidates) => {
        done(at, candidates);
        this.#advance(at);
      },
      // A signalled candidate is dead; once a pair is selected, consent checks cover that one instead.
      mappingChanged: (at) => {
        if (this.isSettingUp) this.offer(at);
      },
    });
  }

  #suspect(now: InstantMs): void {
    this.#generations.inUse?.ice.suspect(now);
    this.#recovery.begin(now);
  }

  #abandon(): void {
    this.#offerer.abandon();
    this.#answerer.abandon();
    this.#request.stop();
    this.#generations.retireAll();
    this.#nominationDueAt = undefined;
  }

  /** The offer is not authenticated: a generation whose direct pair carries data stands by until this one has proved one. */
  #adopt(now: InstantMs, generation: Generation): void {
    const until = now + longestAttemptMs(this.#env.timers);
    const { remoteCredentials, path } = this.#state;
    this.#generations.begin(generation, { remoteCredentials, until, isInUse: path.isDirect });
    this.#nominationDueAt = undefined;
    this.#request.stop();
    this.#recovery.noteOffer();
    this.#outbound.suspend();
    this.#inbound.suspend();
  }

  /** A binding on a pair of the current generation ends the one before. */
  #takeDirect(now: InstantMs, pair: ValidPair, owner: RouteOwner): void {
    if (this.ice?.validPairs().some((valid) => valid === pair) === true) this.#generations.settle();
    this.#state.path.takeDirect(now, pair, owner);
    this.#silence.reset();
  }

  #doubt(now: InstantMs): void {
    this.#state.path.doubt(now);
    this.#generations.inUse?.ice.doubt(now);
  }

  #recall({ ufrag, pwd }: IceCredentials): void {
    const before = this.#generations.standby?.remoteCredentials;
    if (before?.ufrag === ufrag && before.pwd === pwd) this.#revert();
  }

  /** The current generation has come to nothing; data stays on the pair of the one before, or returns to it. */
  #revert(): void {
    const standby = this.#generations.revert();
    if (standby === undefined) return;
    this.#offerer.abandon();
    this.#answerer.abandon();
    this.#nominationDueAt = undefined;
    this.#state.remoteCredentials = standby.remoteCredentials;
    this.#outbound.resume();
    this.#env.outbox.count("restarts.reverted");
  }

  #fail(now: InstantMs, reason: string): void {
    const { generation } = this.#state;
    if (this.#generations.standby !== undefined) this.#revert();
    else if (generation !== undefined && hasDirectPair(generation) && this.#state.path.isDirect) this.#doubt(now);
    else {
      // A failed agent still answers the peer's checks; one without the peer's description has none to answer.
      if (generation?.ice.state !== "failed") this.#generations.retireCurrent();
      this.#nominationDueAt = undefined;
      this.#env.outbox.emit({ type: "session-failed", peer: this.peer, reason });
      this.#state.path.takeHome(now);
      this.#recovery.noteFailure(now);
    }
  }

  /** One end has left: checks and recovery end. */
  #end(now: InstantMs): void {
    this.#abandon();
    this.#inbound.drop();
    this.#recovery.stop();
    this.#state.path.takeHome(now);
  }

  /** Passes on events and packets of the ICE agents, then lets bindings act on them. */
  #advance(now: InstantMs): void {
    for (const generation of this.#generations.all()) {
      const { ice } = generation;
      for (let transmit = ice.pollTransmit(); transmit !== undefined; transmit = ice.pollTransmit())
        this.#env.sendCheck(transmit);
      for (let event = ice.pollEvent(); event !== undefined; event = ice.pollEvent()) {
        if (generation === this.#state.standby) this.#takeFromStandby(now, event, generation);
        else this.#take(now, event);
      }
    }
    this.#outbound.advance(now);
    this.#inbound.advance(now);
  }

  #take(now: InstantMs, event: IceEvent): void {
    switch (event.type) {
      case "failed":
        this.#state.generation?.releaseCandidates();
        this.#fail(now, event.reason);
        break;
      case "released":
        this.#state.generation?.releaseCandidates();
        break;
      case "nominated":
        this.#nominationDueAt = undefined;
        this.#env.outbox.emit({ ...event, peer: this.peer });
        this.#conclude(now, this.#state.generation?.ice.selectedPair());
        break;
      case "pair-valid":
        this.#env.outbox.emit({ ...event, peer: this.peer });
        this.#awaitNomination(now);
        break;
      case "pair-confirmed":
        this.#state.path.trust(now);
        this.#recovery.noteDirect(now);
        break;
      case "pair-silent":
        this.#mistrust(now);
        break;
      case "pair-dead":
        this.#bury(now, event);
        break;
      default:
        this.#env.outbox.emit({ ...event, peer: this.peer });
    }
  }

  /** Only the pair in use matters of a generation that stands by. */
  #takeFromStandby(now: InstantMs, event: IceEvent, generation: Generation): void {
    switch (event.type) {
      case "released":
        generation.releaseCandidates();
        break;
      case "pair-confirmed":
        this.#state.path.trust(now);
        break;
      case "pair-silent":
        this.#doubt(now);
        break;
      case "pair-dead":
        this.#dropBindings(now);
        this.#generations.settle();
        break;
      case "failed":
      case "nominated":
        break;
      default:
        this.#env.outbox.emit({ ...event, peer: this.peer });
    }
  }

  /**
   * A peer that never received the answer gives up without a message. Its offer lasts for the sum of the intervals
   * between its repetitions. With the answer it may wait for a better pair, but then has to nominate this one.
   */
  #awaitNomination(now: InstantMs): void {
    if (this.ice?.role !== "controlled" || this.ice.state !== "running") return;
    this.#nominationDueAt ??= now + longestAttemptMs(this.#env.timers);
  }

  /** A pair of home addresses is the path of data already, so there is no update. */
  #conclude(now: InstantMs, selected: ValidPair | undefined): void {
    if (selected === undefined) return;
    if (isRelayed(selected)) {
      this.#generations.settle();
      this.#state.path.takeHome(now, selected);
      this.#recovery.noteFailure(now);
    } else {
      this.#outbound.request();
      this.#recovery.noteDirect(now);
    }
  }

  /** Both bindings depend on the pair. A node that sees itself at another address restarts as after a move. */
  #bury(now: InstantMs, event: Extract<IceEvent, { type: "pair-dead" }>): void {
    if (this.#generations.standby !== undefined) {
      this.#revert();
      return;
    }
    const isOwnTurn = event.reason === "mapping-changed" || this.#state.generation?.origin === "offer";
    this.#env.outbox.emit({ ...event, peer: this.peer });
    this.#dropBindings(now);
    this.#env.confirmRegistration(now);
    this.#recovery.noteLoss(now, isOwnTurn ? "own" : "peer");
  }

  /**
   * Data takes the home agents' path while the pair is asked further, and another one is sought: a NAT may have given
   * this node another address, which the tunnel has to learn too.
   */
  #mistrust(now: InstantMs): void {
    const pair = this.route?.view;
    if (pair !== undefined) this.#env.outbox.emit({ type: "pair-silent", peer: this.peer, pair });
    this.#doubt(now);
    this.#env.confirmRegistration(now);
    this.#recovery.noteLoss(now, this.#state.generation?.origin === "offer" ? "own" : "peer");
  }

  #dropBindings(now: InstantMs): void {
    this.#outbound.drop();
    this.#inbound.drop();
    this.#state.path.takeHomeFromDead(now);
  }

  /** Not authenticated, so it is rate-limited and moves no data. */
  #takeRequest(now: InstantMs): void {
    const isPausing = this.#offeredAt !== undefined && now - this.#offeredAt < REQUEST_PAUSE_MS;
    if (this.#env.isStationary || this.isSettingUp || isPausing) this.#env.outbox.count("ignored.offer-request");
    else this.offer(now);
  }
}
