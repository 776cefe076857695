/**
 * The ICE agent of one session and generation: receives STUN, answers checks from the start, and sends its own once it
 * has the peer's description (SPEC 2.4 to 2.12). The checks themselves are in `check-run.ts`.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { IceRole } from "../events.ts";
import { assertNever, type InstantMs, type Transmit } from "../machine.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { encodeCheckSuccess, encodeErrorReply } from "../stun/reply.ts";
import { byPriority } from "./candidate.ts";
import { CheckRun, type ReceivedCheck } from "./check-run.ts";
import { DEFAULT_LIMITS, type IceLimits, PROFILE_TIMING } from "./constants.ts";
import type {
  IceAgentConfig,
  IceEvent,
  IceMachine,
  IceState,
  IceStats,
  PairStanding,
  RemoteDescription,
  ValidPair,
} from "./ice-machine.ts";
import { IceOutbox } from "./ice-outbox.ts";
import { judgeCheck } from "./judge-check.ts";
import { createPacer, type Pacer } from "./pacer.ts";
import { pathKey } from "./pair.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { drawTieBreaker, judgeRoleClaim, otherRole, type RoleClaim } from "./role.ts";
import { limitRemotes } from "./usefulness.ts";

/** Makes an agent: it answers checks from now on, and sends its own once it has the peer's description. */
export function createIceAgent(config: IceAgentConfig): IceMachine {
  return new IceAgent(config);
}

class IceAgent implements IceMachine {
  readonly #config: IceAgentConfig;
  readonly #limits: IceLimits;
  readonly #pacer: Pacer;
  readonly #refusals: Refusals;
  readonly #isLite: boolean;
  /** This agent's password in octets. */
  readonly #key: Uint8Array;
  readonly #out = new IceOutbox();
  /** Paths on which an authenticated check has arrived. */
  readonly #heardPaths = new Set<string>();
  /** Checks that arrived before the peer's description. */
  #early: ReceivedCheck[] = [];
  /** The claim of the run once there is one. */
  #claim: RoleClaim;
  #run: CheckRun | undefined;
  /** The selected pair is in doubt, and there are no consent checks: a check of the peer on it shows that it is alive. */
  #isInDoubt = false;
  /** Both ends are lite: no checks. */
  #isHopeless = false;

  constructor(config: IceAgentConfig) {
    this.#config = config;
    this.#limits = { ...DEFAULT_LIMITS, ...config.limits };
    this.#pacer = config.pacer ?? createPacer();
    this.#refusals = config.refusals ?? createRefusals();
    this.#isLite = config.isLite === true;
    this.#key = octetsOf(config.credentials.pwd);
    this.#claim = { role: this.#isLite ? "controlled" : config.role, tieBreaker: drawTieBreaker(config.rng) };
  }

  get state(): IceState {
    return this.#isHopeless ? "failed" : (this.#run?.state ?? "waiting");
  }

  get role(): IceRole {
    return this.#ownClaim().role;
  }

  setRemote(now: InstantMs, remote: RemoteDescription): void {
    if (this.state !== "waiting") return;
    if (this.#isLite && remote.isLite) {
      this.#isHopeless = true;
      this.#out.emit({ type: "failed", reason: "lite-lite" });
      return;
    }
    this.#run = this.#startRun(now, remote);
    for (const check of this.#early.splice(0)) this.#run.learn(now, check);
    this.#run.advance(now);
  }

  handleStun(now: InstantMs, datagram: StunDatagram): void {
    this.#handleMessage(now, datagram);
    this.#run?.advance(now);
  }

  handleRefusal(refused: RefusedDatagram): void {
    this.#run?.handleRefusal(refused);
  }

  noteDataSent(now: InstantMs): void {
    const selected = this.#run?.selected;
    if (selected !== undefined) this.#run?.noteSent(now, selected.local.base, selected.remote.address);
  }

  doubt(now: InstantMs): void {
    this.#run?.consent?.doubt(now);
    this.#isInDoubt = this.#run !== undefined && this.#run.consent === undefined;
  }

  suspect(now: InstantMs): void {
    this.#run?.consent?.suspect(now);
  }

  question(now: InstantMs): void {
    this.#run?.consent?.question(now);
  }

  handleTimeout(now: InstantMs): void {
    this.#run?.handleTimeout(now);
  }

  close(): void {
    this.#run?.close();
  }

  pollTransmit(): Transmit | undefined {
    return this.#out.transmits.shift();
  }

  pollEvent(): IceEvent | undefined {
    return this.#out.events.shift();
  }

  pollTimeout(): InstantMs | undefined {
    const nextAt = this.#run?.nextTimeoutAt ?? Infinity;
    return nextAt === Infinity ? undefined : nextAt;
  }

  ownsUsername(ufrag: string): boolean {
    return ufrag === this.#config.credentials.ufrag;
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#run?.ownsTransaction(transactionId) === true;
  }

  acceptsDataFrom(local: SocketAddress, remote: SocketAddress): boolean {
    const selected = this.#run?.selected;
    return selected === undefined ? this.#isValid(local, remote) : isOn(selected, local, remote);
  }

  acceptsSignallingFrom(local: SocketAddress, remote: SocketAddress): boolean {
    return this.#heardPaths.has(pathKey(local, remote)) || this.#isValid(local, remote);
  }

  standingOf(local: SocketAddress, remote: SocketAddress): PairStanding {
    const isValid = this.validPairs().some(
      (pair) => sameSocketAddress(pair.local.address, local) && sameSocketAddress(pair.remote.address, remote),
    );
    const state = this.#run?.pairOf(local, remote)?.state;
    if (isValid) return "valid";
    if (state === undefined || state === "succeeded") return "unknown";
    return state === "failed" ? "failed" : "pending";
  }

  validPairs(): readonly ValidPair[] {
    return this.#run?.validPairs ?? [];
  }

  selectedPair(): ValidPair | undefined {
    return this.#run?.selected;
  }

  stats(): IceStats {
    const { answersSent, dropped, ...counts } = this.#out.counters;
    return { ...counts, answersSent: { ...answersSent }, dropped: { ...dropped } };
  }

  #startRun(now: InstantMs, { credentials, candidates, isLite }: RemoteDescription): CheckRun {
    const locals = this.#config.candidates;
    const remotes = limitRemotes(byPriority(candidates), locals, this.#limits.maxRemoteCandidates);
    const remotesCut = candidates.length - remotes.length;
    this.#out.drop("too-many-candidates", remotesCut);
    // Of a full and a lite agent the full one controls, whichever offered (RFC 8445 section 6.1.1).
    if (isLite) this.#claim = { ...this.#claim, role: "controlling" };
    const config = {
      claim: this.#claim,
      isLite: this.#isLite,
      locals,
      remotes,
      remotesCut,
      username: `${credentials.ufrag}:${this.#config.credentials.ufrag}`,
      peerKey: octetsOf(credentials.pwd),
      timing: PROFILE_TIMING[this.#config.profile],
      limits: this.#limits,
      pacer: this.#pacer,
      startedAt: this.#config.startedAt,
      rng: this.#config.rng,
    };
    return new CheckRun(now, config, this.#out);
  }

  #handleMessage(now: InstantMs, datagram: StunDatagram): void {
    switch (datagram.message.class) {
      case "request":
        this.#handleRequest(now, datagram);
        break;
      case "success":
      case "error":
        if (this.#run === undefined) this.#out.drop("unknown-transaction");
        else this.#run.handleAnswer(now, datagram);
        break;
      case "indication":
        this.#out.counters.indicationsReceived += 1;
        break;
      default:
        assertNever(datagram.message.class);
    }
  }

  #handleRequest(now: InstantMs, datagram: StunDatagram): void {
    const { local, remote, message } = datagram;
    this.#out.counters.requestsReceived += 1;
    if (!this.#refusals.maySuspect(now, remote) && !this.#isPeers(local, remote)) {
      this.#out.drop("request-rate");
      return;
    }
    const verdict = judgeCheck(datagram, this.#config.credentials.ufrag, this.#key);
    if (verdict.type === "refused") {
      if (verdict.isAuthenticated || this.#admitsRefusal(now, remote))
        this.#answer(now, datagram, verdict.code, verdict.reply);
    } else if (!this.#agreesOnRoles(verdict.content.claim)) {
      this.#answer(now, datagram, 487, encodeErrorReply(message, { code: 487 }, this.#key));
    } else {
      this.#answer(now, datagram, 200, encodeCheckSuccess(message, remote, this.#key));
      this.#take(now, { local, remote, transactionId: message.transactionId, content: verdict.content });
    }
  }

  #answer(now: InstantMs, datagram: StunDatagram, status: number, payload: Uint8Array): void {
    this.#run?.noteSent(now, datagram.local, datagram.remote);
    this.#out.answer(datagram, status, payload);
  }

  /** True for a path on which the peer was heard, and for its candidates. */
  #isPeers(local: SocketAddress, remote: SocketAddress): boolean {
    return this.#heardPaths.has(pathKey(local, remote)) || this.#run?.remoteAt(remote) !== undefined;
  }

  /** Notes a request that is not the peer's; whether it is worth an answer. */
  #admitsRefusal(now: InstantMs, source: SocketAddress): boolean {
    this.#out.drop("unauthenticated-request");
    this.#refusals.noteForgery(now, source);
    return this.#refusals.mayAnswer(now, source);
  }

  /** Resolves a role conflict; false when 487 is the answer. A lite agent cannot change its role. */
  #agreesOnRoles(theirs: RoleClaim): boolean {
    const verdict = this.#isLite ? "agreed" : judgeRoleClaim(this.#ownClaim(), theirs);
    switch (verdict) {
      case "agreed":
        return true;
      case "reject":
        this.#out.emit({ type: "role-conflict", role: this.role });
        return false;
      case "switch":
        this.#switchRole();
        return true;
    }
  }

  #switchRole(): void {
    if (this.#run !== undefined) {
      this.#run.switchRole();
      return;
    }
    this.#claim = { ...this.#claim, role: otherRole(this.#claim.role) };
    this.#out.emit({ type: "role-conflict", role: this.#claim.role });
  }

  /** Processes a check that has been answered: at once, or when the peer's description has arrived. */
  #take(now: InstantMs, check: ReceivedCheck): void {
    const { local, remote, content } = check;
    if (content.useCandidate || this.#run?.isSelected(local, remote) !== true)
      this.#out.emit({ type: "check-received", from: remote, local, nominating: content.useCandidate });
    if (this.#isInDoubt && this.#run?.isSelected(local, remote) === true) {
      this.#isInDoubt = false;
      this.#out.emit({ type: "pair-confirmed" });
    }
    if (this.#heardPaths.size < this.#limits.maxPairs) this.#heardPaths.add(pathKey(local, remote));
    if (this.#run !== undefined) this.#run.learn(now, check);
    else if (this.#early.length < this.#limits.maxPairs) this.#early.push(check);
  }

  #isValid(local: SocketAddress, remote: SocketAddress): boolean {
    return this.validPairs().some((pair) => isOn(pair, local, remote));
  }

  #ownClaim(): RoleClaim {
    return this.#run?.claim ?? this.#claim;
  }
}

/** True for the path of the pair's packets. */
function isOn({ local, remote }: ValidPair, base: SocketAddress, source: SocketAddress): boolean {
  return sameSocketAddress(local.base, base) && sameSocketAddress(remote.address, source);
}

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
