/**
 * A correspondent's judgement of Binding Updates from one peer, in the order of SPEC 8.6: nonces, authenticator,
 * sequence number, care-of address. The care-of address counts only if connectivity checks proved it; while the
 * pair it names is still being checked, the update is held (the remote-candidates race of RFC 8445 section 4.4.3.2).
 */

import type { InstantMs } from "../../machine.ts";
import type { Correspondent } from "../../mip6/correspondent.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { findOption } from "../../mip6/options.ts";
import { isAuthorized, isSequenceNewer, MAX_RR_BINDING_LIFETIME_SEC } from "../../mip6/return-routability.ts";
import { BINDING_STATUS } from "../../mip6/status.ts";
import type { MipIceDescription } from "../option/mip-ice-option.ts";
import type { PacketWay } from "../session/mobility-link.ts";

/** A Binding Update as it arrived. */
export interface ReceivedUpdate {
  readonly message: MobilityMessageOf<"binding-update">;
  /** The whole Mobility Header, for the authenticator. */
  readonly header: Uint8Array;
  /** The updated offer inside, if any. */
  readonly offer: MipIceDescription | undefined;
  readonly way: PacketWay;
}

/** An update that passed everything but the care-of address. */
export interface AuthorizedUpdate {
  readonly update: ReceivedUpdate;
  readonly key: Uint8Array;
  readonly careOf: string;
}

/** What is to be done about an update. */
export type UpdateVerdict =
  /** No answer at all: `reason` is a counter. */
  | { readonly type: "drop"; readonly reason: "unauthorized" | "no-nonce-indices" }
  /** Refused before its key is known, or for lack of one: answered without authenticator. */
  | { readonly type: "refuse"; readonly status: number; readonly careOf: string }
  /** Refused with authenticator; status 135 answers with the last sequence number accepted. */
  | {
      readonly type: "reject";
      readonly status: number;
      readonly sequence: number;
      readonly authorized: AuthorizedUpdate;
    }
  | { readonly type: "delete"; readonly authorized: AuthorizedUpdate }
  | { readonly type: "judge-care-of"; readonly authorized: AuthorizedUpdate };

/** All checks up to the care-of address. `homeAddress` is the peer's, `correspondent` this node's. */
export function judgeUpdate(
  now: InstantMs,
  update: ReceivedUpdate,
  peer: { readonly homeAddress: string; readonly lastSequence: number | undefined },
  correspondent: Correspondent,
  ownAddress: string,
): UpdateVerdict {
  const { message, header } = update;
  const careOf = careOfOf(update, peer.homeAddress);
  // Whoever takes this node for a home agent shall know better (RFC 6275 section 9.5.1).
  if (message.flags.homeRegistration)
    return { type: "refuse", status: BINDING_STATUS.homeRegistrationNotSupported, careOf };
  const indices = findOption(message.options, "nonce-indices");
  if (indices === undefined) return { type: "drop", reason: "no-nonce-indices" };
  const isDeletion = message.lifetimeSec === 0;
  const bindingKey = correspondent.bindingKey(now, peer.homeAddress, indices, isDeletion);
  if (!bindingKey.ok) return { type: "refuse", status: bindingKey.status, careOf };
  const authorized: AuthorizedUpdate = { update, key: bindingKey.key, careOf };
  if (!isAuthorized(header, { key: bindingKey.key, careOf, correspondent: ownAddress }))
    return { type: "drop", reason: "unauthorized" };
  const { lastSequence } = peer;
  if (lastSequence !== undefined && !isSequenceNewer(message.sequence, lastSequence)) {
    const status = BINDING_STATUS.sequenceNumberOutOfWindow;
    return { type: "reject", status, sequence: lastSequence, authorized };
  }
  return isDeletion ? { type: "delete", authorized } : { type: "judge-care-of", authorized };
}

/** What a binding is granted: never longer than return routability carries it. */
export function grantedLifetimeSec(update: ReceivedUpdate, limitMs: number): number {
  return Math.min(update.message.lifetimeSec, limitMs / 1000, MAX_RR_BINDING_LIFETIME_SEC);
}

/** A deletion names the home address as care-of address (RFC 6275 section 11.7.2). */
function careOfOf({ message }: ReceivedUpdate, homeAddress: string): string {
  const alternate = findOption(message.options, "alternate-care-of-address")?.address;
  return message.lifetimeSec === 0 ? homeAddress : (alternate ?? homeAddress);
}
