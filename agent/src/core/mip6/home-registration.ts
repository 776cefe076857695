/**
 * The mobile node's side of a home registration over DSMIPv6 (RFC 6275 section 11.7, RFC 5555 section 4.4): maintains
 * one binding at the home agent.
 *
 * Outputs are inner IPv6 packets for the tunnel socket, inputs decoded acknowledgements; the caller adds and removes
 * the UDP encapsulation.
 */

import { familyOf, type SocketAddress } from "../address.ts";
import type { NodeEvent } from "../events.ts";
import type { InstantMs } from "../machine.ts";
import { createMessageRate } from "./message-rate.ts";
import { type BindingAcknowledgement, type BindingUpdate, encodeMobilityMessage, NO_FLAGS } from "./messages.ts";
import { encodeMobilityPacket, type MobilityEndpoints } from "./mobility-header.ts";
import { findOption, type MobilityOption, NO_KEEPALIVE_NEEDED } from "./options.ts";
import { encodeAuthenticated, isAuthentic } from "./registration-authentication.ts";
import { RegistrationClock } from "./registration-clock.ts";
import { isSequenceNewer } from "./return-routability.ts";
import { BINDING_STATUS, describeStatus, isAccepted } from "./status.ts";

/** Configuration of a registration. */
export interface HomeRegistrationConfig {
  readonly homeAddress: string;
  /** The home agent's own IPv6 address. */
  readonly homeAgentAddress: string;
  /** Shared key; absent means unauthenticated. */
  readonly key?: Uint8Array;
  /** Of the first update, 0..65535: drawn, so that it says nothing about updates before a restart; default 1. */
  readonly firstSequence?: number;
  /** Unix time of instant 0 in milliseconds; default 0. */
  readonly clockOriginMs?: number;
}

/** A binding that the home agent acknowledged. */
export interface Registration {
  readonly careOf: SocketAddress;
  readonly natDetected: boolean;
  readonly lifetimeSec: number;
  readonly expiresAt: InstantMs;
}

/** Events of a registration. */
export type HomeRegistrationEvent = Extract<
  NodeEvent,
  { readonly type: "registration-sent" | "registered" | "registration-failed" | "deregistered" }
>;

/** An unacknowledged update; retransmissions take new sequence numbers (RFC 6275 section 11.8). */
interface Attempt {
  readonly purpose: "bind" | "unbind";
  readonly firstSequence: number;
  readonly startedAt: InstantMs;
  readonly updatesSent: number;
  readonly resumes: number;
  readonly timeoutMs: number;
  readonly retransmitAt: InstantMs;
  /** The next update is not one of the retransmissions at doubling intervals: it had to wait for the rate limit. */
  readonly isHeldBack: boolean;
}

/** RFC 6275 section 12: InitialBindackTimeoutFirstReg, INITIAL_BINDACK_TIMEOUT, MAX_BINDACK_TIMEOUT. */
const FIRST_REGISTRATION_TIMEOUT_MS = 1500;
const INITIAL_TIMEOUT_MS = 1000;
const MAX_TIMEOUT_MS = 32_000;

/** Requested lifetime. */
const LIFETIME_SEC = 600;

/** Longest time between two updates behind a NAT (RFC 5555 section 5.3). */
const NAT_REFRESH_MS = 110_000;

/** A binding is refreshed after this share of its lifetime, which leaves time for retransmissions. */
const REFRESH_AT_PART = 0.75;

/** Deregistrations sent before the binding is left to expire. */
const MAX_UNBIND_UPDATES = 3;

/** Maximum number of corrections in one attempt: sequence numbers of status 135 and times of status 144. */
const MAX_RESUMES = 3;

/** Least time between two registrations by `confirm`; profile: well below the rate of RFC 6275 section 11.8. */
const CONFIRMATION_PAUSE_MS = 5000;

/** Rejections that may be temporary: retried after the longest timeout. */
const TEMPORARY_STATUS: readonly number[] = [
  BINDING_STATUS.reasonUnspecified,
  BINDING_STATUS.insufficientResources,
  BINDING_STATUS.identificationMismatch,
];

/** One home registration. Idle until `retarget` sets the node's address. */
export class HomeRegistration {
  readonly #config: HomeRegistrationConfig;
  readonly #endpoints: MobilityEndpoints;
  readonly #packets: Uint8Array[] = [];
  readonly #events: HomeRegistrationEvent[] = [];
  readonly #clock: RegistrationClock;
  #careOf: SocketAddress | undefined;
  #sequence: number;
  #attempt: Attempt | undefined;
  #registration: Registration | undefined;
  #refreshAt: InstantMs | undefined;
  readonly #rate = createMessageRate();
  #hasBeenRegistered = false;
  #confirmedAt: InstantMs | undefined;

  constructor(config: HomeRegistrationConfig) {
    this.#config = config;
    this.#endpoints = { source: config.homeAddress, destination: config.homeAgentAddress };
    this.#clock = new RegistrationClock(config.clockOriginMs ?? 0);
    this.#sequence = ((config.firstSequence ?? 1) - 1) & 0xffff;
  }

  /** The current binding, for the latest care-of address. */
  get registration(): Registration | undefined {
    return this.#registration;
  }

  /**
   * Updates sent since the last acknowledgement; after three the next way is tried (SPEC 4.2). Zero during a deletion,
   * for which no other way is tried.
   */
  get unanswered(): number {
    return this.#attempt?.purpose === "bind" ? this.#attempt.updatesSent : 0;
  }

  /** When the first of them was sent. */
  get unansweredSince(): InstantMs | undefined {
    return this.#attempt?.purpose === "bind" ? this.#attempt.startedAt : undefined;
  }

  /** There is a binding, or one is asked for. */
  get isWanted(): boolean {
    return this.#attempt === undefined ? this.#registration !== undefined : this.#attempt.purpose === "bind";
  }

  /**
   * Registers at once with this local transport address of the tunnel socket: at the start, after a handover, or again
   * at the same address when the tunnel seems dead.
   */
  retarget(now: InstantMs, careOf: SocketAddress): void {
    if (careOf.ip !== this.#careOf?.ip || careOf.port !== this.#careOf.port) this.#registration = undefined;
    this.moveTo(now, careOf);
  }

  /** Registers at once with another local transport address. The binding that there is stays in use until then. */
  moveTo(now: InstantMs, careOf: SocketAddress): void {
    this.#careOf = careOf;
    this.#begin(now, "bind");
  }

  /**
   * Registers again at the same address because the mapping is in doubt: a pair died, or a Binding Error arrived. At
   * most once in `CONFIRMATION_PAUSE_MS`, which limits the effect of forged errors; false when skipped.
   */
  confirm(now: InstantMs): boolean {
    const isPausing = this.#confirmedAt !== undefined && now - this.#confirmedAt < CONFIRMATION_PAUSE_MS;
    if (isPausing || !this.isWanted) return false;
    this.#confirmedAt = now;
    this.renew(now);
    return true;
  }

  /** Registers again at the same address, or repeats the update that is unanswered, at once. */
  renew(now: InstantMs): void {
    if (!this.isWanted) return;
    if (this.#attempt === undefined) this.#begin(now, "bind");
    else this.#send(now, { ...this.#attempt, startedAt: now, timeoutMs: INITIAL_TIMEOUT_MS });
  }

  /** Deletes the binding at the home agent (lifetime 0) and stays idle. */
  deregister(now: InstantMs): void {
    this.#registration = undefined;
    if (this.#careOf !== undefined) this.#begin(now, "unbind");
  }

  /**
   * Takes a decoded acknowledgement from the home agent; `header` is the Mobility Header that contained it. False when
   * it answers no outstanding update or is not authentic.
   */
  handleAcknowledgement(now: InstantMs, acknowledgement: BindingAcknowledgement, header: Uint8Array): boolean {
    const { status, sequence } = acknowledgement;
    const attempt = this.#attempt;
    if (attempt === undefined || this.#careOf === undefined || !this.#isAuthentic(header, this.#careOf)) return false;
    if (!this.#answersTimestamp(acknowledgement)) return false;
    if (status === BINDING_STATUS.sequenceNumberOutOfWindow) return this.#resume(now, attempt, sequence);
    if (!this.#isOutstanding(attempt, sequence)) return false;
    if (this.#correctClock(now, attempt, acknowledgement)) return true;
    if (attempt.purpose === "unbind") this.#endUnbinding(isAccepted(status));
    else if (isAccepted(status) && acknowledgement.lifetimeSec > 0) this.#accept(now, this.#careOf, acknowledgement);
    else this.#reject(now, attempt, status);
    return true;
  }

  /** True for an answer with the timestamp of an update. One without is of a home agent that knows no timestamps. */
  #answersTimestamp({ status, options }: BindingAcknowledgement): boolean {
    const timestamp = findOption(options, "replay-protection")?.timestamp;
    if (this.#config.key === undefined || timestamp === undefined) return true;
    return this.#clock.hasSent(timestamp, status === BINDING_STATUS.identificationMismatch);
  }

  /** Status 144 contains the home agent's time: registers again by that; false when it has done so often enough. */
  #correctClock(now: InstantMs, attempt: Attempt, { status, options }: BindingAcknowledgement): boolean {
    const timestamp = findOption(options, "replay-protection")?.timestamp;
    if (status !== BINDING_STATUS.identificationMismatch || timestamp === undefined) return false;
    if (attempt.resumes >= MAX_RESUMES) return false;
    this.#clock.adjust(now, timestamp);
    this.#send(now, { ...attempt, resumes: attempt.resumes + 1 });
    return true;
  }

  /** Retransmits, refreshes, and detects an expired binding. */
  handleTimeout(now: InstantMs): void {
    if (this.#registration !== undefined && now >= this.#registration.expiresAt) {
      this.#registration = undefined;
      this.#events.push({ type: "registration-failed", reason: "the binding expired before the home agent answered" });
    }
    if (this.#attempt !== undefined && now >= this.#attempt.retransmitAt) this.#retransmit(now, this.#attempt);
    else if (this.#refreshAt !== undefined && now >= this.#refreshAt) this.#begin(now, "bind");
  }

  /** The next inner IPv6 packet for the tunnel. */
  pollPacket(): Uint8Array | undefined {
    return this.#packets.shift();
  }

  pollEvent(): HomeRegistrationEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): InstantMs | undefined {
    const instants = [this.#attempt?.retransmitAt, this.#refreshAt, this.#registration?.expiresAt];
    const pending = instants.filter((instant) => instant !== undefined);
    return pending.length === 0 ? undefined : Math.min(...pending);
  }

  #begin(now: InstantMs, purpose: Attempt["purpose"]): void {
    const timeoutMs = this.#hasBeenRegistered ? INITIAL_TIMEOUT_MS : FIRST_REGISTRATION_TIMEOUT_MS;
    this.#refreshAt = undefined;
    const firstSequence = (this.#sequence + 1) & 0xffff;
    const fresh = { startedAt: now, updatesSent: 0, resumes: 0, retransmitAt: now, isHeldBack: false };
    this.#send(now, { purpose, firstSequence, timeoutMs, ...fresh });
  }

  #retransmit(now: InstantMs, attempt: Attempt): void {
    if (attempt.purpose === "unbind" && attempt.updatesSent >= MAX_UNBIND_UPDATES) {
      this.#endUnbinding(false);
      return;
    }
    const timeoutMs = attempt.isHeldBack ? attempt.timeoutMs : Math.min(attempt.timeoutMs * 2, MAX_TIMEOUT_MS);
    this.#send(now, { ...attempt, timeoutMs });
  }

  #send(now: InstantMs, attempt: Attempt): void {
    const careOf = this.#careOf;
    if (careOf === undefined) return;
    if (!this.#rate.admits(now, "binding-update")) {
      this.#attempt = { ...attempt, retransmitAt: this.#rate.opensAt("binding-update"), isHeldBack: true };
      return;
    }
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const { updatesSent, timeoutMs } = attempt;
    this.#attempt = { ...attempt, updatesSent: updatesSent + 1, retransmitAt: now + timeoutMs, isHeldBack: false };
    this.#packets.push(encodeMobilityPacket(this.#encodeUpdate(now, careOf, attempt.purpose), this.#endpoints));
    this.#events.push({ type: "registration-sent", sequence: this.#sequence, careOf });
  }

  #encodeUpdate(now: InstantMs, careOf: SocketAddress, purpose: Attempt["purpose"]): Uint8Array {
    const lifetimeSec = purpose === "unbind" ? 0 : LIFETIME_SEC;
    const update: BindingUpdate = {
      type: "binding-update",
      sequence: this.#sequence,
      flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
      lifetimeSec,
      options: [careOfOption(careOf.ip)],
    };
    const { key, homeAddress } = this.#config;
    if (key === undefined) return encodeMobilityMessage(update, this.#endpoints);
    const stamped: BindingUpdate = {
      ...update,
      options: [...update.options, { type: "replay-protection", timestamp: this.#clock.stamp(now) }],
    };
    return encodeAuthenticated(stamped, this.#endpoints, { key, careOf: careOf.ip, homeAddress });
  }

  /** No more is granted than was asked for (RFC 6275 section 10.3.1): otherwise the node would stay silent too long. */
  #accept(now: InstantMs, careOf: SocketAddress, { options, lifetimeSec: grantedSec }: BindingAcknowledgement): void {
    const lifetimeSec = Math.min(grantedSec, LIFETIME_SEC);
    const natDetected = findOption(options, "nat-detection") !== undefined;
    const { homeAddress } = this.#config;
    this.#attempt = undefined;
    this.#hasBeenRegistered = true;
    this.#registration = { careOf, natDetected, lifetimeSec, expiresAt: now + lifetimeSec * 1000 };
    this.#refreshAt = now + this.#refreshDelayMs({ lifetimeSec, options });
    this.#events.push({ type: "registered", homeAddress, careOf, natDetected, lifetimeSec });
  }

  /** The earliest of: share of the lifetime, the home agent's advice, the NAT keepalive. */
  #refreshDelayMs({ lifetimeSec, options }: Pick<BindingAcknowledgement, "lifetimeSec" | "options">): number {
    const delaysMs = [lifetimeSec * 1000 * REFRESH_AT_PART];
    const advice = findOption(options, "binding-refresh-advice");
    if (advice !== undefined && advice.intervalSec > 0) delaysMs.push(advice.intervalSec * 1000);
    const nat = findOption(options, "nat-detection");
    if (nat !== undefined && nat.refreshSec !== NO_KEEPALIVE_NEEDED) {
      delaysMs.push(NAT_REFRESH_MS);
      if (nat.refreshSec > 0) delaysMs.push(nat.refreshSec * 1000);
    }
    return Math.min(...delaysMs);
  }

  #reject(now: InstantMs, attempt: Attempt, status: number): void {
    const isTemporary = TEMPORARY_STATUS.includes(status);
    const retry = { ...attempt, timeoutMs: MAX_TIMEOUT_MS, retransmitAt: now + MAX_TIMEOUT_MS };
    this.#attempt = isTemporary ? retry : undefined;
    this.#registration = undefined;
    const reason = isAccepted(status) ? "the home agent granted no lifetime" : describeStatus(status);
    this.#events.push({ type: "registration-failed", reason });
  }

  /**
   * Status 135 contains the last number that the home agent accepted; one older than those sent is a late duplicate.
   */
  #resume(now: InstantMs, attempt: Attempt, lastTaken: number): boolean {
    if (isSequenceNewer(this.#sequence, lastTaken) || attempt.resumes >= MAX_RESUMES) return false;
    this.#sequence = lastTaken;
    const firstSequence = (lastTaken + 1) & 0xffff;
    this.#send(now, { ...attempt, firstSequence, resumes: attempt.resumes + 1 });
    return true;
  }

  #isOutstanding(attempt: Attempt, sequence: number): boolean {
    const numbersSent = (this.#sequence + 1 - attempt.firstSequence) & 0xffff;
    return ((sequence - attempt.firstSequence) & 0xffff) < numbersSent;
  }

  #isAuthentic(header: Uint8Array, careOf: SocketAddress): boolean {
    const { key, homeAddress } = this.#config;
    return key === undefined || isAuthentic(header, { key, careOf: careOf.ip, homeAddress });
  }

  #endUnbinding(isConfirmed: boolean): void {
    this.#stop();
    this.#events.push({ type: "deregistered", homeAddress: this.#config.homeAddress, isConfirmed });
  }

  #stop(): void {
    this.#attempt = undefined;
    this.#refreshAt = undefined;
  }
}

/** IPv4 care-of addresses have an option of their own (RFC 5555 section 3.1.2). */
function careOfOption(ip: string): MobilityOption {
  return familyOf(ip) === 4
    ? { type: "ipv4-care-of-address", address: ip }
    : { type: "alternate-care-of-address", address: ip };
}
