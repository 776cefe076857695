/** The sessions of a node by peer, limited in number; a flood of offers cannot displace a session that works (S24). */

import type { InstantMs } from "../machine.ts";
import { addressKey } from "../mip6/ipv6-packet.ts";
import { createOfferRate, type OfferRateLimits } from "./offer/offer-rate.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  readonly maxSessions: number;
  /** Sessions that strangers may begin. */
  readonly offers: OfferRateLimits;
}

/**
 * Enough for a node with a few peers; a refused peer repeats its offer (SPEC 9, step 9). Strangers need at
 * least 3 s to replace the whole table, which is time enough to check a pair with an honest peer.
 */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  maxSessions: 64,
  offers: { perNetwork: { perSec: 10, atOnce: 20 }, overall: { perSec: 20, atOnce: 40 } },
};

/** Why a stranger's offer makes no session. */
type Refusal = "session-rate" | "session-table-full";

export interface SessionTable {
  /** By `addressKey` of the peer's home address; `sourceKey` and `destinationKey` of a packet match it. */
  find(key: string): Session | undefined;
  /** By home address. */
  findByAddress(peer: string): Session | undefined;
  all(): Iterable<Session>;
  /**
   * The session with this peer, created if necessary. This node wants it: only a table full of such sessions refuses.
   */
  open(peer: string): Session | Refusal;
  /** The same for an offer of a peer. */
  admit(now: InstantMs, peer: string): Session | Refusal;
}

export function createSessionTable(limits: SessionLimits, create: (peer: string) => Session): SessionTable {
  const sessions = new Map<string, Session>();
  /** Keys of sessions that only a stranger's offer has requested. */
  const unasked = new Set<string>();
  const rate = createOfferRate(limits.offers);

  const makeRoom = (): boolean => {
    if (sessions.size < limits.maxSessions) return true;
    const victim = leastWorthKeeping(sessions, unasked);
    if (victim === undefined) return false;
    sessions.get(victim)?.close();
    sessions.delete(victim);
    unasked.delete(victim);
    return true;
  };
  const add = (key: string, peer: string): Session | Refusal => {
    if (!makeRoom()) return "session-table-full";
    const session = create(peer);
    sessions.set(key, session);
    return session;
  };
  return {
    find: (key) => sessions.get(key),
    findByAddress: (peer) => sessions.get(addressKey(peer)),
    all: () => sessions.values(),
    open(peer) {
      const key = addressKey(peer);
      unasked.delete(key);
      return sessions.get(key) ?? add(key, peer);
    },
    admit(now, peer) {
      const key = addressKey(peer);
      const known = sessions.get(key);
      if (known !== undefined) return known;
      if (!rate.admits(now, peer)) return "session-rate";
      const session = add(key, peer);
      if (typeof session !== "string") unasked.add(key);
      return session;
    },
  };
}

/**
 * The session to remove for another one, the oldest of the first kind there is: ended without a pair; a stranger's
 * without a valid pair; concluded without a direct path; a stranger's that is being set up.
 */
function leastWorthKeeping(sessions: ReadonlyMap<string, Session>, unasked: ReadonlySet<string>): string | undefined {
  const withoutRoute = [...sessions].filter(([, { route }]) => route === undefined);
  const concluded = withoutRoute.filter(([, session]) => !session.isSettingUp);
  const ofStrangers = withoutRoute.filter(([key]) => unasked.has(key));
  const [key] =
    concluded.find(([, { ice }]) => ice?.selectedPair() === undefined) ??
    ofStrangers.find(([, { ice }]) => ice === undefined || ice.validPairs().length === 0) ??
    concluded[0] ??
    ofStrangers[0] ??
    [];
  return key;
}
