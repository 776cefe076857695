/**
 * Sends Binding Updates to a correspondent (RFC 6275 sections 11.7.2 and 11.8) over the selected
 * pair after nomination. Each repetition has the next sequence number, and none uses expired tokens.
 */

import type { InstantMs } from "../../machine.ts";
import type { MessageRate } from "../../mip6/message-rate.ts";
import { type MobilityMessageOf, NO_FLAGS } from "../../mip6/messages.ts";
import { bindingManagementKey, encodeAuthorized, isAuthorized } from "../../mip6/return-routability.ts";
import { BINDING_STATUS, isAccepted } from "../../mip6/status.ts";
import { isFresh, type ReceivedToken } from "../offer/offer-exchange.ts";
import type { OpaqueOption } from "../option/mip-ice-segment.ts";
import { type Backoff, type BackoffLimits, createBackoff } from "../session/backoff.ts";
import type { MobilityLink, PacketWay } from "../session/mobility-link.ts";

/** Contents of one Binding Update. */
interface BindingUpdateContent {
  /** The address that the peer has checked: that of the selected local candidate; in a deletion the home address. */
  readonly careOf: string;
  readonly lifetimeSec: number;
  readonly homeToken: ReceivedToken;
  /** Absent in a deletion, which uses the home token alone. */
  readonly careOfToken?: ReceivedToken;
  /** The updated offer; empty in a deletion. */
  readonly offer: readonly OpaqueOption[];
  readonly way: PacketWay;
}

/** Intervals of repetitions, and maximum age of the tokens (RFC 6275 section 5.2.7). */
interface UpdateLimits extends BackoffLimits {
  readonly tokenLifetimeMs: number;
}

/** Outputs; `onSent` receives the sequence number of every transmission. */
interface SenderPorts {
  readonly link: MobilityLink;
  readonly rate: MessageRate;
  readonly onSent: (sequence: number, careOf: string) => void;
}

/**
 * Result of a timeout: `in-vain` after each longest interval without an answer, `expired-tokens` when the update has
 * ended because its tokens expired.
 */
type RepetitionOutcome = "in-vain" | "expired-tokens" | undefined;

/** Result of a Binding Update; `expired-tokens` requires a new exchange of tokens. */
type BindingOutcome =
  | { readonly type: "accepted"; readonly sequence: number; readonly lifetimeSec: number }
  | { readonly type: "rejected"; readonly status: number }
  | { readonly type: "expired-tokens"; readonly status: number }
  | { readonly type: "ignored"; readonly reason: "unexpected-sequence" | "unauthorized" }
  | { readonly type: "resent" };

/** Maximum retries of one update after status 135. */
const MAX_SEQUENCE_REPAIRS = 3;

/** Sends one update at a time. Sequence numbers continue for the lifetime of this object. */
export class BindingUpdateSender {
  readonly #peer: string;
  readonly #limits: UpdateLimits;
  readonly #ports: SenderPorts;
  #sequence = 0;
  #pending: Pending | undefined;

  constructor(peer: string, limits: UpdateLimits, ports: SenderPorts) {
    this.#peer = peer;
    this.#limits = limits;
    this.#ports = ports;
  }

  /** Sends a Binding Update and repeats it until it is answered or stopped. */
  start(now: InstantMs, content: BindingUpdateContent): void {
    const key = bindingManagementKey(content.homeToken.token, content.careOfToken?.token);
    this.#begin(now, { content, key, repairs: 0 });
  }

  /** Takes a Binding Acknowledgement; `header` is the complete Mobility Header. */
  takeAcknowledgement(
    now: InstantMs,
    message: MobilityMessageOf<"binding-acknowledgement">,
    header: Uint8Array,
  ): BindingOutcome {
    const { status, sequence, lifetimeSec } = message;
    const update = this.#pending;
    if (update === undefined || !isWithin(sequence, update.firstSequence, this.#sequence, status))
      return { type: "ignored", reason: "unexpected-sequence" };
    if (carriesAuthenticator(status) && !isFromPeer(header, update, this.#peer))
      return { type: "ignored", reason: "unauthorized" };
    if (status === BINDING_STATUS.sequenceNumberOutOfWindow && update.repairs < MAX_SEQUENCE_REPAIRS) {
      this.#sequence = sequence;
      if (this.#endStale(now, update)) return { type: "expired-tokens", status };
      this.#begin(now, { ...update, repairs: update.repairs + 1 });
      return { type: "resent" };
    }
    this.#pending = undefined;
    if (isAccepted(status)) return { type: "accepted", sequence, lifetimeSec };
    return { type: carriesAuthenticator(status) ? "rejected" : "expired-tokens", status };
  }

  /** Stops repetitions. */
  stop(): void {
    this.#pending = undefined;
  }

  /** Repeats, finally at the longest interval (RFC 6275 section 11.8), while the tokens are valid. */
  handleTimeout(now: InstantMs): RepetitionOutcome {
    const due = this.#pending?.backoff.poll(now);
    if (this.#pending === undefined || due === undefined) return undefined;
    if (this.#endStale(now, this.#pending)) return "expired-tokens";
    const slowest = { ...this.#limits, firstMs: this.#limits.maxMs };
    if (due === "give-up") this.#pending = { ...this.#pending, backoff: createBackoff(now, slowest) };
    this.#transmit(now, this.#pending);
    return due === "give-up" ? "in-vain" : undefined;
  }

  pollTimeout(): InstantMs | undefined {
    return this.#pending?.backoff.dueAt;
  }

  #begin(now: InstantMs, update: Omit<Pending, "firstSequence" | "backoff">): void {
    const firstSequence = (this.#sequence + 1) & 0xffff;
    this.#pending = { ...update, firstSequence, backoff: createBackoff(now, this.#limits) };
    this.#transmit(now, this.#pending);
  }

  /** Ends an update whose tokens have expired; false while they are valid. */
  #endStale(now: InstantMs, { content: { homeToken, careOfToken = homeToken } }: Pending): boolean {
    const areFresh = [homeToken, careOfToken].every((token) => isFresh(now, token, this.#limits.tokenLifetimeMs));
    if (!areFresh) this.#pending = undefined;
    return !areFresh;
  }

  #transmit(now: InstantMs, update: Pending): void {
    if (!this.#ports.rate.admits(now, "binding-update")) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const { link, onSent } = this.#ports;
    const header = encodeUpdate(this.#sequence, update, this.#peer, link);
    link.sendHeader(this.#peer, header, update.content.way);
    onSent(this.#sequence, update.content.careOf);
  }
}

interface Pending {
  readonly content: BindingUpdateContent;
  readonly key: Uint8Array;
  readonly firstSequence: number;
  readonly backoff: Backoff;
  readonly repairs: number;
}

/** Option order of SPEC 13: Alternate Care-of Address, Nonce Indices, MIP-ICE, Binding Authorization Data. */
function encodeUpdate(sequence: number, { content, key }: Pending, peer: string, link: MobilityLink): Uint8Array {
  const { careOf, lifetimeSec, homeToken, careOfToken, offer } = content;
  const message: MobilityMessageOf<"binding-update"> = {
    type: "binding-update",
    sequence,
    flags: { ...NO_FLAGS, acknowledge: true },
    lifetimeSec,
    options: [
      { type: "alternate-care-of-address", address: careOf },
      { type: "nonce-indices", home: homeToken.index, careOf: careOfToken?.index ?? 0 },
      ...offer,
    ],
  };
  return encodeAuthorized(message, link.endpointsTo(peer), { key, careOf, correspondent: peer });
}

/** Nonce statuses have no authenticator, because the correspondent could not compute the key (SPEC 13). */
function carriesAuthenticator(status: number): boolean {
  return status < BINDING_STATUS.expiredHomeNonceIndex || status > BINDING_STATUS.expiredNonces;
}

function isFromPeer(header: Uint8Array, { content, key }: Pending, peer: string): boolean {
  return isAuthorized(header, { key, careOf: content.careOf, correspondent: peer });
}

/** Status 135 contains the correspondent's last number instead of ours (RFC 6275 section 9.5.1). */
function isWithin(sequence: number, first: number, last: number, status: number): boolean {
  if (status === BINDING_STATUS.sequenceNumberOutOfWindow) return true;
  const transmissions = (last - first + 1) & 0xffff;
  return ((sequence - first) & 0xffff) < transmissions;
}
