/** The gatherings under way at a node, each for one session: what they send, report and find. */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import { candidateView, type LocalCandidate, relayedCandidate } from "../ice/candidate.ts";
import { createGathering, type Gathering } from "../ice/gathering.ts";
import type { InstantMs, Rng } from "../machine.ts";
import { minInstant } from "./min-instant.ts";
import type { IceProfile } from "./node-machine.ts";
import type { Outbox } from "./outbox.ts";
import type { GatheringDone } from "./session-environment.ts";

/** What all gatherings of a node share. */
export interface GatheringGround {
  readonly profile: IceProfile;
  readonly rng: Rng;
  readonly servers: readonly SocketAddress[];
  readonly homeAddress: string;
  /** The sockets of the node at this moment, best first. */
  readonly sockets: () => readonly SocketAddress[];
  /** The socket that carries the tunnel; its port is that of the relayed candidate. */
  readonly tunnelSocket: () => SocketAddress | undefined;
}

export interface GatheringPool {
  /** Begins one; `done` is called from `advance`, never at once. The answer ends it before. */
  gather(now: InstantMs, peer: string, done: GatheringDone): () => void;
  all(): Iterable<Gathering>;
  /** Moves what gatherings send and report, and ends those that are done. */
  advance(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

interface Entry {
  readonly peer: string;
  readonly gathering: Gathering;
  readonly tunnelSocket: SocketAddress | undefined;
  readonly done: GatheringDone;
}

export function createGatheringPool(ground: GatheringGround, outbox: Outbox): GatheringPool {
  const entries = new Set<Entry>();

  const finish = (now: InstantMs, entry: Entry, candidates: readonly LocalCandidate[]): void => {
    entries.delete(entry);
    entry.gathering.stop();
    outbox.emit({ type: "gathering-done", peer: entry.peer, candidates: candidates.length });
    entry.done(now, withTunnelMapping(candidates, entry.tunnelSocket));
  };
  const drain = (now: InstantMs, entry: Entry): void => {
    const { gathering, peer } = entry;
    for (let sent = gathering.pollTransmit(); sent !== undefined; sent = gathering.pollTransmit())
      outbox.transmit(sent);
    for (let event = gathering.pollEvent(); event !== undefined; event = gathering.pollEvent()) {
      if (event.type === "candidate")
        outbox.emit({ type: "candidate", peer, candidate: candidateView(event.candidate) });
      if (event.type === "server-failed") outbox.count("gathering.server-failed");
      if (event.type === "done") finish(now, entry, event.candidates);
    }
  };
  return {
    gather(now, peer, done) {
      const { profile, rng, servers, homeAddress } = ground;
      const tunnelSocket = ground.tunnelSocket();
      const relayed = tunnelSocket && relayedCandidate({ ip: homeAddress, port: tunnelSocket.port });
      const config = { profile, rng, servers, bases: ground.sockets(), ...(relayed && { relayed }) };
      const entry = { peer, gathering: createGathering(config), tunnelSocket, done };
      entry.gathering.start(now);
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    all: () => [...entries].map(({ gathering }) => gathering),
    advance(now) {
      for (const entry of entries) drain(now, entry);
    },
    handleTimeout(now) {
      for (const { gathering } of entries) gathering.handleTimeout(now);
    },
    pollTimeout: () => minInstant(...[...entries].map(({ gathering }) => gathering.pollTimeout())),
  };
}

/** The related address of the relayed candidate is how the outside sees the tunnel (digest 2.2). */
function withTunnelMapping(
  candidates: readonly LocalCandidate[],
  tunnelSocket: SocketAddress | undefined,
): readonly LocalCandidate[] {
  const isOfTunnel = ({ base }: LocalCandidate) => tunnelSocket !== undefined && sameSocketAddress(base, tunnelSocket);
  const mapped =
    candidates.find((candidate) => candidate.type === "server-reflexive" && isOfTunnel(candidate))?.address ??
    tunnelSocket;
  return candidates.map((candidate) =>
    candidate.type === "relayed" ? relayedCandidate(candidate.address, mapped) : candidate,
  );
}
