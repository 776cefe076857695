/** The path of a session's data, and the direct paths that data is accepted from. */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { DataPath, PairView } from "../../events.ts";
import type { ValidPair } from "../../ice/ice-machine.ts";
import { pairView } from "../../ice/pair.ts";
import type { InstantMs } from "../../machine.ts";
import type { Outbox } from "../../node/outbox.ts";

/** A direct path: data is sent from `local` to `remote`, and received from there. */
export interface DirectRoute {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly view: PairView;
}

/** Which binding a direct path depends on: this node's at the peer, or the peer's here. */
export type RouteOwner = "outbound" | "inbound";

export interface SessionPath {
  /** The current direct path; undefined means through the home agents. */
  readonly route: DirectRoute | undefined;
  /** Data goes direct, or will again when the pair in doubt has answered. */
  readonly isDirect: boolean;
  /** Sends data direct on this pair from now on. */
  takeDirect(now: InstantMs, pair: ValidPair, owner: RouteOwner): void;
  /** Sends data through the home agents until it is known whether the direct path is alive. */
  doubt(now: InstantMs): void;
  /** Returns to the direct path in doubt, unless its binding has ended, or there is another path. */
  trust(now: InstantMs): void;
  /** Leaves the direct path if it depends on this binding, which has ended. */
  release(now: InstantMs, owner: RouteOwner): void;
  /** Sends data through the home agents from now on; `pair` is the selected one if ICE selected that path. */
  takeHome(now: InstantMs, pair?: ValidPair): void;
  /** The same because the pair is dead here: the peer, which may still send on it, notices later. */
  takeHomeFromDead(now: InstantMs): void;
  /**
   * True for the current direct path, one in doubt and, for a while, the previous one, on which the last packets may be
   * in flight.
   */
  accepts(now: InstantMs, local: SocketAddress, remote: SocketAddress): boolean;
}

/** How long packets are accepted on a previous path; as long as unused candidates are kept (RFC 8445 section 8.3). */
const LINGER_MS = 3000;

/** ... and on a dead one: the consent checks of both ends begin up to 6 s apart (SPEC 2.14). */
const DEAD_LINGER_MS = 6000;

/** Reports every change as a `path` event. */
export function createSessionPath(peer: string, outbox: Outbox): SessionPath {
  let route: DirectRoute | undefined;
  let left: { readonly route: DirectRoute; readonly until: InstantMs } | undefined;
  let owner: RouteOwner | undefined;
  let doubted: { readonly route: DirectRoute; readonly owner: RouteOwner } | undefined;

  const report = createReport(peer, outbox);
  const change = (until: InstantMs, next: DirectRoute | undefined, by: RouteOwner | undefined): void => {
    if (route !== undefined && (next === undefined || !isOn(route, next.local, next.remote))) left = { route, until };
    route = next;
    owner = by;
    doubted = undefined;
  };
  const takeHome = (now: InstantMs, pair?: ValidPair): void => {
    change(now + LINGER_MS, undefined, undefined);
    report("home-agents", pair && pairView(pair));
  };
  return {
    get route() {
      return route;
    },
    get isDirect() {
      return route !== undefined || doubted !== undefined;
    },
    takeDirect(now, pair, by) {
      const next = { local: pair.local.base, remote: pair.remote.address, view: pairView(pair) };
      change(now + LINGER_MS, next, by);
      report("direct", next.view);
    },
    doubt(now) {
      if (route === undefined || owner === undefined) return;
      const kept = { route, owner };
      takeHome(now);
      doubted = kept;
    },
    trust(now) {
      if (doubted === undefined) return;
      const { route: next, owner: by } = doubted;
      change(now + LINGER_MS, next, by);
      report("direct", next.view);
    },
    release(now, by) {
      if (owner === by) takeHome(now);
      else if (doubted?.owner === by) doubted = undefined;
    },
    takeHome,
    takeHomeFromDead(now) {
      change(now + DEAD_LINGER_MS, undefined, undefined);
      report("home-agents", undefined);
    },
    accepts(now, local, remote) {
      if ([route, doubted?.route].some((each) => each !== undefined && isOn(each, local, remote))) return true;
      return left !== undefined && now < left.until && isOn(left.route, local, remote);
    },
  };
}

function isOn(route: DirectRoute, local: SocketAddress, remote: SocketAddress): boolean {
  return sameSocketAddress(route.remote, remote) && sameSocketAddress(route.local, local);
}

/** Reports a path unless it is the one reported last. */
function createReport(peer: string, outbox: Outbox): (path: DataPath, view: PairView | undefined) => void {
  let reported = "";
  return (path, view) => {
    const key = JSON.stringify([path, view?.local.address, view?.remote.address]);
    if (key === reported) return;
    reported = key;
    outbox.emit(view === undefined ? { type: "path", peer, path } : { type: "path", peer, path, pair: view });
  };
}
