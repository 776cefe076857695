/**
 * The gatherings of a node, each shared by sessions that began at about the same time. A gathering continues after it
 * is done, which refreshes its mappings, until no session needs its candidates.
 */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import { relayedCandidate } from "../../ice/candidate.ts";
import { createGathering, type Gathering } from "../../ice/gathering.ts";
import type { Pacer } from "../../ice/pacer.ts";
import type { LocalSocket } from "../../local-socket.ts";
import type { InstantMs, Rng } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import type { IceProfile } from "../../node/agent-settings.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { GatheringCallbacks } from "../session/session-environment.ts";
import { type SharedGathering, shareGathering } from "./shared-gathering.ts";

/** Common configuration of all gatherings of a node. */
export interface GatheringGround {
  readonly profile: IceProfile;
  readonly rng: Rng;
  readonly pacer: Pacer;
  readonly servers: readonly SocketAddress[];
  readonly homeAddress: string;
  /** The current sockets of the node, best first. */
  readonly sockets: () => readonly LocalSocket[];
  /** The socket that carries the tunnel; its port is that of the relayed candidate. */
  readonly tunnelSocket: () => SocketAddress | undefined;
}

export interface GatheringPool {
  /**
   * Starts a gathering or joins one. Callbacks are called from `advance`, never at once. The returned function leaves
   * it.
   */
  gather(now: InstantMs, peer: string, callbacks: GatheringCallbacks): () => void;
  all(): Iterable<Gathering>;
  /** Passes on packets and events of gatherings. */
  advance(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

/**
 * A session that begins within this time after another one shares its gathering, so that sessions that begin together,
 * such as all after a move, query the servers once.
 */
const SHARED_FOR_MS = 1000;

interface Entry {
  readonly shared: SharedGathering;
  readonly startedAt: InstantMs;
  readonly sockets: readonly SocketAddress[];
  readonly tunnelSocket: SocketAddress | undefined;
}

export function createGatheringPool(ground: GatheringGround, outbox: Outbox): GatheringPool {
  const entries = new Set<Entry>();

  const begin = (now: InstantMs): Entry => {
    const { profile, rng, pacer, servers, homeAddress } = ground;
    const [sockets, tunnelSocket] = [ground.sockets(), ground.tunnelSocket()];
    const relayed = tunnelSocket && relayedCandidate({ ip: homeAddress, port: tunnelSocket.port });
    const config = { profile, rng, pacer, servers, bases: sockets, ...(relayed && { relayed }) };
    const gathering = createGathering(config);
    gathering.start(now);
    return { shared: shareGathering(gathering, tunnelSocket, outbox), startedAt: now, sockets, tunnelSocket };
  };
  const isCurrent = (now: InstantMs, { startedAt, sockets, tunnelSocket }: Entry): boolean =>
    now - startedAt < SHARED_FOR_MS &&
    sameSockets(sockets, ground.sockets()) &&
    sameSockets([tunnelSocket], [ground.tunnelSocket()]);
  return {
    gather(now, peer, callbacks) {
      const entry = [...entries].find((other) => isCurrent(now, other)) ?? begin(now);
      entries.add(entry);
      const leave = entry.shared.join(peer, callbacks);
      return () => {
        leave();
        if (entry.shared.isDeserted) entries.delete(entry);
      };
    },
    all: () => [...entries].map(({ shared }) => shared.gathering),
    advance(now) {
      for (const { shared } of entries) shared.advance(now);
    },
    handleTimeout(now) {
      for (const { shared } of entries) shared.gathering.handleTimeout(now);
    },
    pollTimeout: () => minInstant(...[...entries].map(({ shared }) => shared.gathering.pollTimeout())),
  };
}

function sameSockets(
  some: readonly (SocketAddress | undefined)[],
  others: readonly (SocketAddress | undefined)[],
): boolean {
  return (
    some.length === others.length &&
    some.every((socket, i) => {
      const other = others[i];
      return socket === undefined || other === undefined ? socket === other : sameSocketAddress(socket, other);
    })
  );
}
