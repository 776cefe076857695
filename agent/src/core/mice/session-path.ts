/** Which way a session's data goes, and which direct ways may data come from. */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { DataPath, PairView } from "../events.ts";
import type { ValidPair } from "../ice/ice-machine.ts";
import { pairView } from "../ice/pair.ts";
import type { Outbox } from "./outbox.ts";

/** A direct way: data leaves from `local` to `remote` and may come back from there. */
export interface DirectRoute {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly view: PairView;
}

/** Which binding a direct way rests on: the one this node has at the peer, or the peer's here. */
type RouteOwner = "outbound" | "inbound";

export interface SessionPath {
  /** The direct way in use; undefined means through the home agents. */
  readonly route: DirectRoute | undefined;
  /** Sends data straight on this pair from here on. */
  takeDirect(pair: ValidPair, owner: RouteOwner): void;
  /** Leaves the direct way if it rests on this binding, which is over. */
  release(owner: RouteOwner): void;
  /** Sends data through the home agents from here on; `pair` is the selected one, when ICE chose that way. */
  takeHome(pair?: ValidPair): void;
  /** True for the direct way in use and the one before it, whose last packets may still be under way. */
  accepts(local: SocketAddress, remote: SocketAddress): boolean;
  /** Forgets ways from local addresses that are no more. */
  keepLocal(isLocal: (local: SocketAddress) => boolean): void;
}

/** Reports every change as a `path` event. */
export function createSessionPath(peer: string, outbox: Outbox): SessionPath {
  let route: DirectRoute | undefined;
  let previous: DirectRoute | undefined;
  let owner: RouteOwner | undefined;
  let reported = "";

  const report = (path: DataPath, view: PairView | undefined): void => {
    const key = JSON.stringify([path, view?.local.address, view?.remote.address]);
    if (key === reported) return;
    reported = key;
    outbox.emit(view === undefined ? { type: "path", peer, path } : { type: "path", peer, path, pair: view });
  };
  const leave = (next: DirectRoute | undefined): void => {
    if (route !== undefined && (next === undefined || !sameRoute(route, next))) previous = route;
    route = next;
    if (next === undefined) owner = undefined;
  };
  const takeHome = (pair?: ValidPair): void => {
    leave(undefined);
    report("home-agents", pair && pairView(pair));
  };
  return {
    get route() {
      return route;
    },
    takeDirect(pair, by) {
      const next = { local: pair.local.base, remote: pair.remote.address, view: pairView(pair) };
      leave(next);
      owner = by;
      report("direct", next.view);
    },
    release(by) {
      if (owner === by) takeHome();
    },
    takeHome,
    accepts: (local, remote) =>
      (route !== undefined && isOn(route, local, remote)) || (previous !== undefined && isOn(previous, local, remote)),
    keepLocal(isLocal) {
      if (previous !== undefined && !isLocal(previous.local)) previous = undefined;
    },
  };
}

function sameRoute(a: DirectRoute, b: DirectRoute): boolean {
  return isOn(a, b.local, b.remote);
}

function isOn(route: DirectRoute, local: SocketAddress, remote: SocketAddress): boolean {
  return sameSocketAddress(route.remote, remote) && sameSocketAddress(route.local, local);
}
