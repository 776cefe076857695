/** The sessions of a node by peer, at most so many; a flood of offers cannot push out a session that works (S24). */

import type { InstantMs } from "../machine.ts";
import { addressKey } from "../mip6/ipv6-packet.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  readonly maxSessions: number;
  /** Sessions that strangers may begin per second, on average and at once. */
  readonly newPerSec: number;
  readonly newAtOnce: number;
}

/** Enough for a node with a few peers; a refused peer repeats its offer (digest 9, step 9). */
export const DEFAULT_SESSION_LIMITS: SessionLimits = { maxSessions: 64, newPerSec: 10, newAtOnce: 20 };

/** Why a stranger's offer makes no session. */
export type Refusal = "session-rate" | "session-table-full";

export interface SessionTable {
  /** By `addressKey` of the peer's home address: what `sourceKey` and `destinationKey` of a packet give. */
  find(key: string): Session | undefined;
  /** By home address. */
  findByAddress(peer: string): Session | undefined;
  all(): Iterable<Session>;
  /** The session with this peer, made where there is none. This node wants it, so only a full table of work refuses. */
  open(peer: string): Session | Refusal;
  /** The same for an offer that came from outside. */
  admit(now: InstantMs, peer: string): Session | Refusal;
}

export function createSessionTable(limits: SessionLimits, create: (peer: string) => Session): SessionTable {
  const sessions = new Map<string, Session>();
  let allowance = limits.newAtOnce;
  let countedAt: InstantMs | undefined;

  const open = (peer: string): Session | Refusal => {
    const key = addressKey(peer);
    const known = sessions.get(key);
    if (known !== undefined) return known;
    if (sessions.size >= limits.maxSessions && !evictIdle(sessions)) return "session-table-full";
    const session = create(peer);
    sessions.set(key, session);
    return session;
  };
  return {
    find: (key) => sessions.get(key),
    findByAddress: (peer) => sessions.get(addressKey(peer)),
    all: () => sessions.values(),
    open,
    admit(now, peer) {
      const known = sessions.get(addressKey(peer));
      if (known !== undefined) return known;
      allowance = Math.min(limits.newAtOnce, allowance + (limits.newPerSec * (now - (countedAt ?? now))) / 1000);
      countedAt = now;
      if (allowance < 1) return "session-rate";
      allowance -= 1;
      return open(peer);
    },
  };
}

/** Closes the oldest session that neither carries data directly nor is being set up. */
function evictIdle(sessions: Map<string, Session>): boolean {
  for (const [key, session] of sessions) {
    if (session.route !== undefined || session.isSettingUp) continue;
    session.close();
    sessions.delete(key);
    return true;
  }
  return false;
}
