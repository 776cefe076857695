/**
 * Validates Binding Updates of one peer, in the order of SPEC 8.6: nonces, authenticator, sequence number, care-of
 * address. The care-of address is accepted only if connectivity checks have verified it. While the pair it names
 * is still being checked, the update is held (the remote-candidates race of RFC 8445 section 4.4.3.2).
 */

import type { InstantMs } from "../../machine.ts";
import type { Correspondent } from "../../mip6/correspondent.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { findOption } from "../../mip6/options.ts";
import { isAuthorized, isSequenceNewer, MAX_RR_BINDING_LIFETIME_SEC } from "../../mip6/return-routability.ts";
import { BINDING_STATUS } from "../../mip6/status.ts";
import type { MipIceDescription } from "../option/mip-ice-option.ts";
import type { PacketWay } from "../session/mobility-link.ts";

/** A received Binding Update. */
export interface ReceivedUpdate {
  readonly message: MobilityMessageOf<"binding-update">;
  /** The complete Mobility Header, for the authenticator. */
  readonly header: Uint8Array;
  /** The updated offer inside, if any. */
  readonly offer: MipIceDescription | undefined;
  readonly way: PacketWay;
}

/** An update that is valid except for its care-of address. */
export interface AuthorizedUpdate {
  readonly update: ReceivedUpdate;
  readonly key: Uint8Array;
  readonly careOf: string;
}

/** Result for an update. */
export type UpdateVerdict =
  /** No answer; `reason` is a counter. */
  | { readonly type: "drop"; readonly reason: "unauthorized" | "no-nonce-indices" }
  /** Refused without a key: answered without authenticator. */
  | { readonly type: "refuse"; readonly status: number; readonly careOf: string }
  /** Refused with authenticator; status 135 contains the last accepted sequence number. */
  | {
      readonly type: "reject";
      readonly status: number;
      readonly sequence: number;
      readonly authorized: AuthorizedUpdate;
    }
  | { readonly type: "delete"; readonly authorized: AuthorizedUpdate }
  | { readonly type: "judge-care-of"; readonly authorized: AuthorizedUpdate };

/** All checks before the care-of address. `homeAddress` is the peer's, `correspondent` this node's. */
export function judgeUpdate(
  now: InstantMs,
  update: ReceivedUpdate,
  peer: { readonly homeAddress: string; readonly lastSequence: number | undefined },
  correspondent: Correspondent,
  ownAddress: string,
): UpdateVerdict {
  const { message, header } = update;
  const careOf = careOfOf(update, peer.homeAddress);
  // Status 131: this node is not a home agent (RFC 6275 section 9.5.1).
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

/** Granted lifetime: at most that of return routability. */
export function grantedLifetimeSec(update: ReceivedUpdate, limitMs: number): number {
  return Math.min(update.message.lifetimeSec, limitMs / 1000, MAX_RR_BINDING_LIFETIME_SEC);
}

/** In a deletion the care-of address is the home address (RFC 6275 section 11.7.2). */
function careOfOf({ message }: ReceivedUpdate, homeAddress: string): string {
  const alternate = findOption(message.options, "alternate-care-of-address")?.address;
  return message.lifetimeSec === 0 ? homeAddress : (alternate ?? homeAddress);
}
