/**
 * Which candidates and pairs are kept where there are more than may be told or checked (SPEC 2.5 and 8.3). A priority
 * says which of the pairs that work is best. Here counts which are likely to work: otherwise sixteen bridges of a
 * machine, each with a good host address, would leave no room for the one pair that leads anywhere.
 */

import { formatSocketAddress, type SocketAddress } from "../address.ts";
import { isPrivate } from "../address-scope.ts";
import type { CandidateType } from "../events.ts";
import { isOnLink, type LocalSocket } from "../local-socket.ts";
import { isRelayed } from "./pair.ts";

/** What counts of a candidate of this node. */
export interface LocalEnd {
  readonly type: CandidateType;
  readonly address: SocketAddress;
  readonly base: LocalSocket;
}

/** What counts of a candidate of the peer. */
export interface RemoteEnd {
  readonly type: CandidateType;
  readonly address: SocketAddress;
}

export interface PairEnds {
  readonly local: LocalEnd;
  readonly remote: RemoteEnd;
}

/**
 * The most useful of these pairs, which are sorted best first, in the same order. In this order there is room for:
 * relayed pairs; pairs on a segment of both ends; one pair of each socket, then a second one, and so on.
 */
export function limitPairs<P extends PairEnds>(pairs: readonly P[], limit: number): readonly P[] {
  if (pairs.length <= limit) return pairs;
  const relayed = pairs.filter(isRelayed).toSorted((a, b) => relayedEnds(b) - relayedEnds(a));
  const direct = pairs.filter((pair) => !isRelayed(pair));
  const near = direct.filter(isNear);
  const far = inTurns(
    direct.filter((pair) => !isNear(pair)),
    limit,
  );
  const kept = new Set([...relayed, ...near, ...far].slice(0, limit));
  return pairs.filter((pair) => kept.has(pair));
}

/**
 * The most useful of the peer's candidates, which are sorted best first, in the same order: relayed ones, then
 * those on a segment of this node, then those that are reached from anywhere.
 */
export function limitRemotes<R extends RemoteEnd>(
  remotes: readonly R[],
  locals: readonly LocalEnd[],
  limit: number,
): readonly R[] {
  const rank = (remote: R): number => {
    if (remote.type === "relayed") return 0;
    if (locals.some((local) => isNear({ local, remote }))) return 1;
    return isReachedFromAnywhere(remote) ? 2 : 3;
  };
  return mostUseful(remotes, rank, limit);
}

/**
 * Own candidates, which are sorted best first, in the order in which a message has room for them: relayed ones, which
 * it must have, then those that are reached from anywhere, last those of segments without a router.
 */
export function rankForPeer<L extends LocalEnd>(locals: readonly L[]): readonly L[] {
  const rank = (local: L): number => {
    if (local.type === "relayed") return 0;
    if (local.base.hasRouter === false) return 3;
    return isReachedFromAnywhere(local) ? 1 : 2;
  };
  return locals.toSorted((a, b) => rank(a) - rank(b));
}

/** Own candidates without those of segments that have neither a router nor a candidate of the peer. */
export function withinReach<L extends LocalEnd>(locals: readonly L[], remotes: readonly RemoteEnd[]): readonly L[] {
  return locals.filter(
    ({ base }) => base.hasRouter !== false || remotes.some(({ address }) => isOnLink(base, address.ip)),
  );
}

function mostUseful<T>(items: readonly T[], rank: (item: T) => number, limit: number): readonly T[] {
  if (items.length <= limit) return items;
  const kept = new Set(items.toSorted((a, b) => rank(a) - rank(b)).slice(0, limit));
  return items.filter((item) => kept.has(item));
}

/** With two relayed ends a pair is the path through both home agents, which works wherever the signalling does. */
function relayedEnds({ local, remote }: PairEnds): number {
  return Number(local.type === "relayed") + Number(remote.type === "relayed");
}

function isNear({ local, remote }: PairEnds): boolean {
  return remote.type === "host" && local.type !== "relayed" && isOnLink(local.base, remote.address.ip);
}

/** A private address of a stranger's network mostly leads nowhere, or to another node. */
function isReachedFromAnywhere({ type, address }: RemoteEnd): boolean {
  return type !== "host" || !isPrivate(address.ip);
}

/**
 * Each socket in turn has its next pair: one that may be reached from anywhere, and of these one with the remote address
 * that has had the fewest turns. So each interface of either end is among the first.
 */
function inTurns<P extends PairEnds>(pairs: readonly P[], limit: number): readonly P[] {
  const sockets = bySocket(pairs);
  const turns = new Map<string, number>();
  const cost = ({ remote, isFar }: Waiting<P>): number => (turns.get(remote) ?? 0) + (isFar ? 0 : pairs.length);
  const order: P[] = [];
  while (order.length < Math.min(pairs.length, limit))
    for (const waiting of sockets) {
      const costs = waiting.map(cost);
      const [next] = waiting.splice(costs.indexOf(Math.min(...costs)), 1);
      if (next === undefined) continue;
      turns.set(next.remote, (turns.get(next.remote) ?? 0) + 1);
      order.push(next.pair);
    }
  return order;
}

/** A pair that has not had its turn. */
interface Waiting<P> {
  readonly pair: P;
  readonly remote: string;
  readonly isFar: boolean;
}

/** The pairs of each socket, in their order. */
function bySocket<P extends PairEnds>(pairs: readonly P[]): readonly Waiting<P>[][] {
  const sockets = new Map<string, Waiting<P>[]>();
  for (const pair of pairs) {
    const base = formatSocketAddress(pair.local.base);
    const waiting = sockets.get(base) ?? [];
    const remote = formatSocketAddress(pair.remote.address);
    waiting.push({ pair, remote, isFar: isReachedFromAnywhere(pair.remote) });
    sockets.set(base, waiting);
  }
  return [...sockets.values()];
}
