/**
 * Processing of Binding Updates at a home agent (RFC 6275 section 10.3, RFC 5555 section 4.2): authentication, status,
 * NAT detection, binding, and acknowledgement along the reverse path.
 */

import { addressToBytes, type SocketAddress } from "../address.ts";
import { isPrivateIpv4 } from "../address-scope.ts";
import type { NodeEvent } from "../events.ts";
import type { InstantMs } from "../machine.ts";
import { type BindingCache, placeLeft } from "./binding-cache.ts";
import type { HomePlaces } from "./home-places.ts";
import { type BindingAcknowledgement, type BindingUpdate, encodeMobilityMessage } from "./messages.ts";
import { encodeMobilityPacket } from "./mobility-header.ts";
import { findOption, type MobilityOption } from "./options.ts";
import { encodeAuthenticated, isAuthentic } from "./registration-authentication.ts";
import { ReplayGuard } from "./replay-guard.ts";
import { isSequenceNewer } from "./return-routability.ts";
import { BINDING_STATUS, isAccepted } from "./status.ts";

/** Configuration of a registrar. */
export interface HomeRegistrarConfig {
  /** The home agent's own IPv6 address. */
  readonly address: string;
  /** Addresses at which no mobile node can be. */
  readonly places: HomePlaces;
  /** Shared keys by home address, RFC 5952 text; with any, no other home address registers. */
  readonly registrationKeys?: ReadonlyMap<string, Uint8Array>;
  /** Unix time of instant 0 in milliseconds; default 0. */
  readonly clockOriginMs?: number;
}

/** A received Binding Update. */
export interface ReceivedUpdate {
  readonly update: BindingUpdate;
  /** The Mobility Header that contained it. */
  readonly header: Uint8Array;
  readonly homeAddress: string;
  /** Source of the inner packet: the care-of address if no option has one. */
  readonly source: string;
  readonly local: SocketAddress;
  readonly observed: SocketAddress;
}

/** Result for an update. */
export interface RegistrationOutcome {
  /** Counter to increment. */
  readonly counter: string;
  /** Inner IPv6 packet for the update's outer source. */
  readonly answer?: Uint8Array;
  readonly event?: NodeEvent;
}

/** Longest lifetime granted, seconds. */
const MAX_LIFETIME_SEC = 3600;

/** Keepalive interval sent to nodes behind a NAT (RFC 5555 section 4.3). */
const NAT_REFRESH_SEC = 110;

/** Processes updates and maintains the cache. */
export class HomeRegistrar {
  readonly #address: string;
  readonly #places: HomePlaces;
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #cache: BindingCache;
  /**
   * The last accepted sequence number of each home address with a key. It outlives the binding, so that a recorded
   * update cannot be replayed after the node has left. There are as many as keys; a restart loses them, and timestamps
   * protect from what was recorded before it.
   */
  readonly #lastSequences = new Map<string, number>();
  readonly #replays: ReplayGuard;

  constructor(config: HomeRegistrarConfig, cache: BindingCache) {
    this.#address = config.address;
    this.#places = config.places;
    this.#keys = config.registrationKeys ?? new Map();
    this.#cache = cache;
    this.#replays = new ReplayGuard(config.clockOriginMs ?? 0);
  }

  /** Nothing that was sent before this instant counts. */
  start(now: InstantMs): void {
    this.#replays.start(now);
  }

  /** Processes one update. It is silently dropped without the H flag, or when the authenticator is invalid. */
  handleUpdate(now: InstantMs, received: ReceivedUpdate): RegistrationOutcome {
    if (!received.update.flags.homeRegistration) return { counter: "dropped.no-home-registration" };
    const careOf = careOfAddress(received);
    if (!this.#isAuthentic(received, careOf)) return { counter: "dropped.authentication" };
    const status = this.#judge(now, received, careOf);
    if (!isAccepted(status)) return this.#refuse(now, received, careOf, status);
    this.#remember(received);
    return received.update.lifetimeSec === 0 ? this.#remove(received, careOf) : this.#bind(now, received, careOf);
  }

  #remember({ homeAddress, update }: ReceivedUpdate): void {
    if (!this.#keys.has(homeAddress)) return;
    this.#lastSequences.set(homeAddress, update.sequence);
    const timestamp = timestampOf(update);
    if (timestamp !== undefined) this.#replays.noteAccepted(homeAddress, timestamp);
  }

  #judge(now: InstantMs, { homeAddress, update, observed }: ReceivedUpdate, careOf: string): number {
    if (!this.#places.isInHomePrefix(addressToBytes(homeAddress))) return BINDING_STATUS.notHomeSubnet;
    if (this.#keys.size > 0 && !this.#keys.has(homeAddress)) return BINDING_STATUS.administrativelyProhibited;
    if (homeAddress === this.#address || this.#leadsHere(careOf, observed))
      return BINDING_STATUS.administrativelyProhibited;
    const replayStatus = this.#judgeFreshness(now, homeAddress, timestampOf(update));
    if (replayStatus !== BINDING_STATUS.accepted) return replayStatus;
    const binding = this.#cache.find(homeAddress);
    const lastSequence = this.#lastSequenceOf(homeAddress);
    if (lastSequence !== undefined && !isSequenceNewer(update.sequence, lastSequence))
      return BINDING_STATUS.sequenceNumberOutOfWindow;
    if (binding === undefined && update.lifetimeSec === 0) return BINDING_STATUS.notHomeAgentForThisMobileNode;
    // The nodes with keys are known in advance: there is room for all of them.
    if (binding === undefined && this.#keys.size === 0 && this.#cache.isFull)
      return BINDING_STATUS.insufficientResources;
    return BINDING_STATUS.accepted;
  }

  /** Without a key a timestamp proves nothing, and is ignored. */
  #judgeFreshness(now: InstantMs, homeAddress: string, timestamp: bigint | undefined): number {
    if (!this.#keys.has(homeAddress)) return BINDING_STATUS.accepted;
    switch (this.#replays.judge(now, homeAddress, timestamp)) {
      case "fresh":
        return BINDING_STATUS.accepted;
      case "missing":
        return BINDING_STATUS.identificationRequired;
      case "stale":
        return BINDING_STATUS.identificationMismatch;
    }
  }

  /**
   * Whether the care-of address is one at which no mobile node can be. Two private networks may use the same address, and
   * the tunnel of a node behind a NAT ends at its observed address.
   */
  #leadsHere(careOf: string, observed: SocketAddress): boolean {
    return this.#places.isHere(careOf) && (careOf === observed.ip || !isPrivateIpv4(careOf));
  }

  #bind(now: InstantMs, received: ReceivedUpdate, careOf: string): RegistrationOutcome {
    const { update, homeAddress, local, observed } = received;
    const lifetimeSec = Math.min(update.lifetimeSec, MAX_LIFETIME_SEC);
    const natDetected = observed.ip !== careOf;
    const { sequence } = update;
    const expiresAt = now + lifetimeSec * 1000;
    const left = placeLeft(now, this.#cache.find(homeAddress), { local, observed });
    this.#cache.put({
      homeAddress,
      careOf,
      local,
      observed,
      natDetected,
      sequence,
      expiresAt,
      ...(left && { left }),
    });
    const { forceUdp } = update.flags;
    const natDetection: MobilityOption = { type: "nat-detection", forceUdp, refreshSec: NAT_REFRESH_SEC };
    const options = natDetected || forceUdp ? [natDetection] : [];
    return {
      counter: "registrations.accepted",
      ...this.#answer(received, careOf, { status: BINDING_STATUS.accepted, sequence, lifetimeSec, options }),
      event: { type: "binding-registered", homeAddress, observed, careOf, natDetected },
    };
  }

  #remove(received: ReceivedUpdate, careOf: string): RegistrationOutcome {
    const { homeAddress, update } = received;
    this.#cache.remove(homeAddress);
    const { sequence } = update;
    return {
      counter: "registrations.removed",
      ...this.#answer(received, careOf, { status: BINDING_STATUS.accepted, sequence, lifetimeSec: 0, options: [] }),
      event: { type: "binding-removed", homeAddress, reason: "deregistered" },
    };
  }

  /** Status 135 contains the last accepted sequence number, so that the mobile node can continue from there. */
  #refuse(now: InstantMs, received: ReceivedUpdate, careOf: string, status: number): RegistrationOutcome {
    const last = this.#lastSequenceOf(received.homeAddress);
    const isSequence = status === BINDING_STATUS.sequenceNumberOutOfWindow;
    const sequence = isSequence && last !== undefined ? last : received.update.sequence;
    const timestamp = timestampOf(received.update);
    const isStale = status === BINDING_STATUS.identificationMismatch && timestamp !== undefined;
    const corrected = isStale ? this.#replays.corrected(now, timestamp) : timestamp;
    const answer = this.#answer(received, careOf, { status, sequence, lifetimeSec: 0, options: [] }, corrected);
    return { counter: "registrations.rejected", ...answer };
  }

  #lastSequenceOf(homeAddress: string): number | undefined {
    return this.#cache.find(homeAddress)?.sequence ?? this.#lastSequences.get(homeAddress);
  }

  /**
   * Errors are always answered, success if the A flag is set (RFC 6275 section 9.5.4). With a key the answer has the
   * update's timestamp, or the corrected one (RFC 4285 section 6.1).
   */
  #answer(
    { update, homeAddress }: ReceivedUpdate,
    careOf: string,
    fields: Pick<BindingAcknowledgement, "status" | "sequence" | "lifetimeSec" | "options">,
    timestamp = timestampOf(update),
  ): Pick<RegistrationOutcome, "answer"> {
    if (!update.flags.acknowledge && isAccepted(fields.status)) return {};
    const endpoints = { source: this.#address, destination: homeAddress };
    const key = this.#keys.get(homeAddress);
    const replayProtection: readonly MobilityOption[] =
      key === undefined || timestamp === undefined ? [] : [{ type: "replay-protection", timestamp }];
    const acknowledgement: BindingAcknowledgement = {
      type: "binding-acknowledgement",
      keyManagement: false,
      ...fields,
      options: [...fields.options, ...replayProtection],
    };
    const header =
      key === undefined
        ? encodeMobilityMessage(acknowledgement, endpoints)
        : encodeAuthenticated(acknowledgement, endpoints, { key, careOf, homeAddress });
    return { answer: encodeMobilityPacket(header, endpoints) };
  }

  #isAuthentic({ header, homeAddress }: ReceivedUpdate, careOf: string): boolean {
    const key = this.#keys.get(homeAddress);
    return key === undefined || isAuthentic(header, { key, careOf, homeAddress });
  }
}

/** IPv4 Care-of Address option, else Alternate Care-of Address, else the inner source unless it is a home address. */
function careOfAddress({ update, source, homeAddress, observed }: ReceivedUpdate): string {
  const named =
    findOption(update.options, "ipv4-care-of-address") ?? findOption(update.options, "alternate-care-of-address");
  return named?.address ?? (source === homeAddress ? observed.ip : source);
}

function timestampOf({ options }: BindingUpdate): bigint | undefined {
  return findOption(options, "replay-protection")?.timestamp;
}
