/**
 * One session with one peer, identified by its home address: offers, the current generation of ICE, bindings, and the
 * path of data. Each part implements its protocol; this file only connects them.
 */

import type { SocketAddress } from "../address.ts";
import type { IceEvent, IceMachine, ValidPair } from "../ice/ice-machine.ts";
import { isRelayed } from "../ice/pair.ts";
import { assertNever, type InstantMs } from "../machine.ts";
import { minInstant } from "../min-instant.ts";
import { createMessageRate } from "../mip6/message-rate.ts";
import type { MobilityMessage } from "../mip6/messages.ts";
import { BINDING_ERROR_STATUS } from "../mip6/status.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { InboundBinding } from "./binding/inbound-binding.ts";
import { OutboundBinding } from "./binding/outbound-binding.ts";
import { iceCounters } from "./ice-counters.ts";
import { Answerer } from "./offer/answerer.ts";
import { OfferRequest } from "./offer/offer-request.ts";
import { Offerer } from "./offer/offerer.ts";
import { Recovery } from "./recovery.ts";
import type { Generation } from "./session/generation.ts";
import type { ReceivedMobility, SessionEnvironment } from "./session/session-environment.ts";
import type { GatheringDone, SessionHost } from "./session/session-host.ts";
import { createSessionPath, type DirectRoute } from "./session/session-path.ts";

/** Least time between two offers that a peer requests. Profile: its first repetitions come after 1 and 3 s. */
const REQUEST_PAUSE_MS = 5000;

/** The session as seen by its parts; only this file changes the generation. */
interface SessionState extends SessionHost {
  generation: Generation | undefined;
}

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
  /** When this node last began to offer. */
  #offeredAt: InstantMs | undefined;
  /** The controlling peer's deadline for a nomination; set once there is a valid pair. */
  #nominationDueAt: InstantMs | undefined;
  /** The interface of this session for its parts. */
  readonly #state: SessionState;

  constructor(peer: string, env: SessionEnvironment) {
    this.peer = peer;
    this.#env = env;
    this.#state = {
      peer,
      env,
      gather: (now, done) => this.#gather(now, done),
      path: createSessionPath(peer, env.outbox),
      rate: createMessageRate(),
      generation: undefined,
      remoteCredentials: undefined,
      adopt: (generation) => this.#adopt(generation),
      fail: (now, reason) => this.#fail(now, reason),
      end: (now) => this.#end(now),
    };
    this.#offerer = new Offerer(this.#state);
    this.#answerer = new Answerer(this.#state, this.#offerer);
    this.#request = new OfferRequest(this.#state);
    this.#outbound = new OutboundBinding(this.#state, this.#offerer);
    this.#inbound = new InboundBinding(this.#state);
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

  /** Offers, or requests an offer; an existing session is restarted. */
  offer(now: InstantMs): void {
    this.#answerer.abandon();
    this.#recovery.noteOffer();
    this.#offeredAt = now;
    if (this.#env.isStationary) this.#request.start(now);
    else this.#offerer.offer(now, this.#state.remoteCredentials === undefined ? "initial" : "restart");
  }

  /** The local addresses changed: data takes the home agents' path, checks from the old addresses end. */
  leaveDirectPath(now: InstantMs): void {
    this.#abandon();
    this.#recovery.stop();
    this.#outbound.suspend();
    this.#inbound.suspend();
    if (this.#state.path.route !== undefined) this.#state.path.takeHome(now);
  }

  /** The node leaves: its binding at the peer is deleted, and nothing is restored. */
  leave(now: InstantMs): void {
    this.#outbound.leave(now);
    this.#end(now);
  }

  /** Takes a message of the peer with a correct checksum. */
  handleMobility(now: InstantMs, received: ReceivedMobility): void {
    if (isFromWrongWay(received)) this.#env.outbox.count(`dropped.${received.message.type}-off-home-path`);
    else this.#dispatch(now, received);
    this.#advance(now);
  }

  /**
   * The peer has no Mobile IPv6, by an unauthenticated error; `quoted` is the beginning of the quoted Mobility Header.
   */
  handleNoMobility(now: InstantMs, quoted: Uint8Array): void {
    this.#offerer.takeHeaderRefusal(now, quoted);
  }

  /** Takes a STUN message of the current generation. */
  handleStun(now: InstantMs, datagram: StunDatagram): void {
    this.#state.generation?.ice.handleStun(now, datagram);
    this.#advance(now);
  }

  /** Takes an ICMP error for a datagram that may have been a check. */
  handleRefusal(now: InstantMs, refused: RefusedDatagram): void {
    this.#state.generation?.ice.handleRefusal(refused);
    this.#advance(now);
  }

  /** True when data from `remote` at the socket `local` is accepted as the peer's. */
  acceptsDataFrom(now: InstantMs, local: SocketAddress, remote: SocketAddress): boolean {
    return (
      this.#state.path.accepts(now, local, remote) ||
      this.#state.generation?.ice.acceptsDataFrom(local, remote) === true
    );
  }

  /** True when a Mobility Header from `remote` at the socket `local` is accepted as the peer's, to be authenticated. */
  acceptsSignallingFrom(now: InstantMs, local: SocketAddress, remote: SocketAddress): boolean {
    return (
      this.acceptsDataFrom(now, local, remote) ||
      this.#state.generation?.ice.acceptsSignallingFrom(local, remote) === true
    );
  }

  noteDataSent(now: InstantMs): void {
    this.#state.generation?.ice.noteDataSent(now);
  }

  /** Counters of the current generation of ICE; those of earlier ones are in the node's counters. */
  counters(): Readonly<Record<string, number>> {
    return this.#state.generation === undefined ? {} : iceCounters(this.#state.generation.ice.stats());
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
    this.#state.generation?.ice.handleTimeout(now);
    this.#advance(now);
    if (now >= (this.#nominationDueAt ?? Infinity)) this.#fail(now, "the peer nominated no pair");
    if (this.#recovery.takeDue(now) && !this.isSettingUp) this.offer(now);
  }

  pollTimeout(): InstantMs | undefined {
    return minInstant(
      this.#state.generation?.ice.pollTimeout(),
      this.#offerer.pollTimeout(),
      this.#request.pollTimeout(),
      this.#outbound.pollTimeout(),
      this.#inbound.pollTimeout(),
      this.#recovery.pollTimeout(),
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
      mappingChanged: (at) => this.#replaceCandidates(at),
    });
  }

  /** A signalled candidate is dead; once a pair is selected, consent checks cover that one instead. */
  #replaceCandidates(now: InstantMs): void {
    if (this.isSettingUp) this.offer(now);
  }

  #abandon(): void {
    this.#offerer.abandon();
    this.#answerer.abandon();
    this.#request.stop();
    this.#retire();
  }

  #adopt(generation: Generation): void {
    this.#retire();
    this.#request.stop();
    this.#state.generation = generation;
    this.#recovery.noteOffer();
    this.#outbound.suspend();
    this.#inbound.suspend();
  }

  #fail(now: InstantMs, reason: string): void {
    // A failed agent still answers the peer's checks; one without the peer's description has none to answer.
    if (this.#state.generation?.ice.state !== "failed") this.#retire();
    this.#env.outbox.emit({ type: "session-failed", peer: this.peer, reason });
    this.#state.path.takeHome(now);
    this.#recovery.noteFailure(now);
  }

  /** One end has left: checks and recovery end. */
  #end(now: InstantMs): void {
    this.#abandon();
    this.#inbound.drop();
    this.#recovery.stop();
    this.#state.path.takeHome(now);
  }

  /** Ends the generation; its counters are added to those of the node. */
  #retire(): void {
    for (const [name, amount] of Object.entries(this.counters())) this.#env.outbox.count(name, amount);
    this.#state.generation?.releaseCandidates();
    this.#state.generation?.ice.close();
    this.#state.generation = undefined;
    this.#nominationDueAt = undefined;
  }

  /** Passes on events and packets of the ICE agent, then lets bindings act on them. */
  #advance(now: InstantMs): void {
    const ice = this.#state.generation?.ice;
    for (let transmit = ice?.pollTransmit(); transmit !== undefined; transmit = ice?.pollTransmit())
      this.#env.sendCheck(transmit);
    for (let event = ice?.pollEvent(); event !== undefined; event = ice?.pollEvent()) this.#take(now, event);
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
      case "pair-dead":
        this.#bury(now, event);
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
    const { mobilityFirstTimeoutMs, mobilityMaxTimeoutMs, relayNominationDelayMs } = this.#env.timers;
    if (this.ice?.role !== "controlled" || this.ice.state !== "running") return;
    this.#nominationDueAt ??= now + 2 * mobilityMaxTimeoutMs - mobilityFirstTimeoutMs + relayNominationDelayMs;
  }

  /** A pair of home addresses is the path of data already, so there is no update. */
  #conclude(now: InstantMs, selected: ValidPair | undefined): void {
    if (selected === undefined) return;
    if (isRelayed(selected)) {
      this.#state.path.takeHome(now, selected);
      this.#recovery.noteFailure(now);
    } else {
      this.#outbound.request();
      this.#recovery.noteDirect(now);
    }
  }

  /** Both bindings depend on the pair. A node that sees itself at another address restarts as after a move. */
  #bury(now: InstantMs, event: Extract<IceEvent, { type: "pair-dead" }>): void {
    const isOwnTurn = event.reason === "mapping-changed" || this.#state.generation?.origin === "offer";
    this.#env.outbox.emit({ ...event, peer: this.peer });
    this.#outbound.drop();
    this.#inbound.drop();
    this.#state.path.takeHomeFromDead(now);
    this.#env.confirmRegistration(now);
    this.#recovery.noteLoss(now, isOwnTurn ? "own" : "peer");
  }

  #dispatch(now: InstantMs, received: ReceivedMobility): void {
    const { message } = received;
    switch (message.type) {
      case "home-test":
        this.#offerer.takeHomeTest(now, message);
        break;
      case "care-of-test-ice":
        this.#offerer.takeAnswer(now, message);
        break;
      case "care-of-test-init-ice":
        this.#answerer.takeOffer(now, message);
        break;
      case "binding-update":
        this.#inbound.takeUpdate(now, { ...received, message });
        break;
      case "binding-acknowledgement":
        this.#outbound.takeAcknowledgement(now, { ...received, message });
        break;
      case "binding-error":
        this.#takeError(message.status);
        break;
      case "binding-refresh-request":
        this.#takeRequest(now);
        break;
      case "home-test-init":
      case "care-of-test-init":
      case "care-of-test":
        this.#env.outbox.count(`ignored.${message.type}`);
        break;
      default:
        assertNever(message);
    }
  }

  /** Not authenticated, so it is rate-limited and moves no data. */
  #takeRequest(now: InstantMs): void {
    const isPausing = this.#offeredAt !== undefined && now - this.#offeredAt < REQUEST_PAUSE_MS;
    if (this.#env.isStationary || this.isSettingUp || isPausing) this.#env.outbox.count("ignored.offer-request");
    else this.offer(now);
  }

  #takeError(status: number): void {
    if (status === BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType) this.#offerer.takeRefusal();
    else this.#env.outbox.count("ignored.binding-error");
  }
}

/** Return routability messages count only from the home agents' path (SPEC 13). */
function isFromWrongWay({ message, way }: ReceivedMobility): boolean {
  return way.type === "pair" && !TYPES_ON_PAIRS.includes(message.type);
}

const TYPES_ON_PAIRS: readonly MobilityMessage["type"][] = ["binding-update", "binding-acknowledgement"];
