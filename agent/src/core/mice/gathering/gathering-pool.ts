/**
 * The gatherings of a node, each for the sessions that began at about the same time: what they send, report and find. They
 * go on after they are done, which keeps their mappings alive, until no session needs their candidates any more.
 */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import { relayedCandidate } from "../../ice/candidate.ts";
import { createGathering, type Gathering } from "../../ice/gathering.ts";
import type { Pacer } from "../../ice/pacer.ts";
import type { InstantMs, Rng } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import type { IceProfile } from "../../node/agent-settings.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { GatheringCallbacks } from "../session/session-environment.ts";
import { type SharedGathering, shareGathering } from "./shared-gathering.ts";

/** What all gatherings of a node share. */
export interface GatheringGround {
  readonly profile: IceProfile;
  readonly rng: Rng;
  readonly pacer: Pacer;
  readonly servers: readonly SocketAddress[];
  readonly homeAddress: string;
  /** The sockets of the node at this moment, best first. */
  readonly sockets: () => readonly SocketAddress[];
  /** The socket that carries the tunnel; its port is that of the relayed candidate. */
  readonly tunnelSocket: () => SocketAddress | undefined;
}

export interface GatheringPool {
  /** Begins one, or takes part in one; it calls back from `advance`, never at once. The answer ends this part in it. */
  gather(now: InstantMs, peer: string, callbacks: GatheringCallbacks): () => void;
  all(): Iterable<Gathering>;
  /** Moves what gatherings send and report. */
  advance(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

/**
 * A session that begins this soon after another one takes what the servers said to that: sessions that begin together,
 * after a move all of them, ask once.
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
