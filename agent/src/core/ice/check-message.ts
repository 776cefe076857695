/** The STUN messages that only ICE has: checks and keepalives (SPEC 2.6 and 2.11; RFC 8445 sections 7.1 and 11). */

import type { StunAttribute } from "../stun/attributes.ts";
import { BINDING } from "../stun/header.ts";
import { encodeStun, findAttribute, type StunMessage } from "../stun/message.ts";
import type { RoleClaim } from "./role.ts";

/** Contents of a check besides its credentials. */
export interface CheckContent {
  /** Priority of the peer-reflexive candidate that the check may reveal. */
  readonly priority: number;
  readonly claim: RoleClaim;
  /** USE-CANDIDATE: the sender nominates the pair. */
  readonly useCandidate: boolean;
}

/** Encodes a check; `username` is `receiver:sender`, `key` the receiver's password. */
export function encodeCheck(
  transactionId: Uint8Array,
  username: string,
  { priority, claim, useCandidate }: CheckContent,
  key: Uint8Array,
): Uint8Array {
  const attributes: StunAttribute[] = [
    { type: "username", value: username },
    { type: "priority", value: priority },
    { type: claim.role === "controlling" ? "ice-controlling" : "ice-controlled", value: claim.tieBreaker },
  ];
  if (useCandidate) attributes.push({ type: "use-candidate", value: true });
  const message: StunMessage = { class: "request", method: BINDING, transactionId, attributes };
  return encodeStun(message, { key, fingerprint: true });
}

/** Contents of a check; undefined when PRIORITY is missing, or not exactly one role is claimed. */
export function readCheck(message: StunMessage): CheckContent | undefined {
  const priority = findAttribute(message, "priority");
  const claim = readClaim(findAttribute(message, "ice-controlling"), findAttribute(message, "ice-controlled"));
  if (priority === undefined || claim === undefined) return undefined;
  return { priority, claim, useCandidate: findAttribute(message, "use-candidate") !== undefined };
}

/** A Binding Indication that keeps NAT mappings alive: FINGERPRINT only. */
export function encodeKeepalive(transactionId: Uint8Array): Uint8Array {
  return encodeStun({ class: "indication", method: BINDING, transactionId, attributes: [] }, { fingerprint: true });
}

function readClaim(controlling: bigint | undefined, controlled: bigint | undefined): RoleClaim | undefined {
  if (controlling !== undefined && controlled !== undefined) return undefined;
  if (controlling !== undefined) return { role: "controlling", tieBreaker: controlling };
  return controlled === undefined ? undefined : { role: "controlled", tieBreaker: controlled };
}
