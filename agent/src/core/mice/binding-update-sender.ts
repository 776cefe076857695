/**
 * Binding Updates to a correspondent (RFC 6275 sections 11.7.2 and 11.8; digest ): sent over the
 * selected pair once it is nominated, each repetition with the next sequence number.
 */

import type { InstantMs } from "../machine.ts";
import { type MobilityMessageOf, NO_FLAGS } from "../mip6/messages.ts";
import { bindingManagementKey, encodeAuthorized, isAuthorized } from "../mip6/return-routability.ts";
import { BINDING_STATUS, isAccepted } from "../mip6/status.ts";
import { type Backoff, type BackoffLimits, createBackoff } from "./backoff.ts";
import type { OpaqueOption } from "./mip-ice-segment.ts";
import type { MobilityLink, PacketWay } from "./mobility-link.ts";
import type { ReceivedToken } from "./offer-exchange.ts";

/** What one Binding Update says. */
export interface BindingUpdateContent {
  /** Address that the peer has checked: that of the selected local candidate. */
  readonly careOf: string;
  readonly lifetimeSec: number;
  readonly homeToken: ReceivedToken;
  readonly careOfToken: ReceivedToken;
  /** The updated offer; empty in a deletion. */
  readonly offer: readonly OpaqueOption[];
  readonly way: PacketWay;
}

/** What became of a Binding Update; `expired-tokens` asks for a new exchange of tokens. */
export type BindingOutcome =
  | { readonly type: "accepted"; readonly sequence: number; readonly lifetimeSec: number }
  | { readonly type: "rejected"; readonly status: number }
  | { readonly type: "expired-tokens"; readonly status: number }
  | { readonly type: "ignored"; readonly reason: "unexpected-sequence" | "unauthorized" }
  | { readonly type: "resent" };

export interface BindingUpdateSender {
  /** Sends a Binding Update and repeats it until it is answered or stopped. */
  start(now: InstantMs, content: BindingUpdateContent): void;
  /** Takes a Binding Acknowledgement; `header` is the whole Mobility Header. */
  takeAcknowledgement(
    now: InstantMs,
    message: MobilityMessageOf<"binding-acknowledgement">,
    header: Uint8Array,
  ): BindingOutcome;
  /** Stops repeating. */
  stop(): void;
  /** Repeats, at last at the slowest rate (RFC 6275 section 11.8); true each time the longest wait was in vain. */
  handleTimeout(now: InstantMs): boolean;
  pollTimeout(): InstantMs | undefined;
}

/** How often one update is sent anew because the peer knows a later sequence number. */
const MAX_SEQUENCE_REPAIRS = 3;

/** `onSent` is told the sequence number of every transmission. */
export function createBindingUpdateSender(
  peer: string,
  limits: BackoffLimits,
  link: MobilityLink,
  onSent: (sequence: number, careOf: string) => void,
): BindingUpdateSender {
  let sequence = 0;
  let pending: Pending | undefined;

  const transmit = (update: Pending): void => {
    sequence = (sequence + 1) & 0xffff;
    link.sendHeader(peer, encodeUpdate(sequence, update, peer, link), update.content.way);
    onSent(sequence, update.content.careOf);
  };
  return {
    start(now, content) {
      const key = bindingManagementKey(content.homeToken.token, content.careOfToken.token);
      pending = {
        content,
        key,
        firstSequence: (sequence + 1) & 0xffff,
        backoff: createBackoff(now, limits),
        repairs: 0,
      };
      transmit(pending);
    },
    takeAcknowledgement(now, message, header) {
      const update = pending;
      if (update === undefined || !isWithin(message.sequence, update.firstSequence, sequence, message.status))
        return { type: "ignored", reason: "unexpected-sequence" };
      if (carriesAuthenticator(message.status) && !isFromPeer(header, update, peer))
        return { type: "ignored", reason: "unauthorized" };
      if (message.status === BINDING_STATUS.sequenceNumberOutOfWindow && update.repairs < MAX_SEQUENCE_REPAIRS) {
        sequence = message.sequence;
        pending = {
          ...update,
          firstSequence: (sequence + 1) & 0xffff,
          backoff: createBackoff(now, limits),
          repairs: update.repairs + 1,
        };
        transmit(pending);
        return { type: "resent" };
      }
      pending = undefined;
      if (isAccepted(message.status))
        return { type: "accepted", sequence: message.sequence, lifetimeSec: message.lifetimeSec };
      return { type: carriesAuthenticator(message.status) ? "rejected" : "expired-tokens", status: message.status };
    },
    stop() {
      pending = undefined;
    },
    handleTimeout(now) {
      const due = pending?.backoff.poll(now);
      if (pending === undefined || due === undefined) return false;
      if (due === "give-up")
        pending = { ...pending, backoff: createBackoff(now, { ...limits, firstMs: limits.maxMs }) };
      transmit(pending);
      return due === "give-up";
    },
    pollTimeout: () => pending?.backoff.dueAt,
  };
}

interface Pending {
  readonly content: BindingUpdateContent;
  readonly key: Uint8Array;
  readonly firstSequence: number;
  readonly backoff: Backoff;
  readonly repairs: number;
}

/** Option order of digest 13: Alternate Care-of Address, Nonce Indices, MIP-ICE, Binding Authorization Data. */
function encodeUpdate(sequence: number, { content, key }: Pending, peer: string, link: MobilityLink): Uint8Array {
  const { careOf, lifetimeSec, homeToken, careOfToken, offer } = content;
  const message: MobilityMessageOf<"binding-update"> = {
    type: "binding-update",
    sequence,
    flags: { ...NO_FLAGS, acknowledge: true },
    lifetimeSec,
    options: [
      { type: "alternate-care-of-address", address: careOf },
      { type: "nonce-indices", home: homeToken.index, careOf: careOfToken.index },
      ...offer,
    ],
  };
  return encodeAuthorized(message, link.endpointsTo(peer), { key, careOf, correspondent: peer });
}

/** Statuses about nonces come without one, because the correspondent could not compute the key (digest 13). */
function carriesAuthenticator(status: number): boolean {
  return status < BINDING_STATUS.expiredHomeNonceIndex || status > BINDING_STATUS.expiredNonces;
}

function isFromPeer(header: Uint8Array, { content, key }: Pending, peer: string): boolean {
  return isAuthorized(header, { key, careOf: content.careOf, correspondent: peer });
}

/** A status of 135 names the correspondent's last number instead of ours (RFC 6275 section 9.5.1). */
function isWithin(sequence: number, first: number, last: number, status: number): boolean {
  if (status === BINDING_STATUS.sequenceNumberOutOfWindow) return true;
  return ((sequence - first) & 0xffff) <= ((last - first) & 0xffff);
}
