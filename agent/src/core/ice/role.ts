/** Roles and their conflicts (SPEC 2.4 and 2.8; RFC 8445 section 7.3.1.1). */

import { ByteReader } from "../bytes.ts";
import type { IceRole } from "../events.ts";
import type { Rng } from "../machine.ts";

/** A role and its tie-breaker: 64 random bits. */
export interface RoleClaim {
  readonly role: IceRole;
  readonly tieBreaker: bigint;
}

/** Result of a role comparison: no conflict, switch role, or answer 487 and keep the role. */
export type RoleVerdict = "agreed" | "switch" | "reject";

/**
 * Compares a check's role with this agent's. The larger tie-breaker controls; on a draw the receiver of the check does.
 */
export function judgeRoleClaim(own: RoleClaim, theirs: RoleClaim): RoleVerdict {
  if (own.role !== theirs.role) return "agreed";
  const ownControls = own.tieBreaker >= theirs.tieBreaker;
  return ownControls === (own.role === "controlling") ? "reject" : "switch";
}

/** The opposite role. */
export function otherRole(role: IceRole): IceRole {
  return role === "controlling" ? "controlled" : "controlling";
}

/** A fresh tie-breaker. */
export function drawTieBreaker(rng: Rng): bigint {
  return new ByteReader(rng.bytes(8)).u64();
}
