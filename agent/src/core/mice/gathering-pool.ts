/**
 * The gatherings of a node, each for one session: what they send, report and find. They go on after they are done, which
 * keeps their mappings alive, until the session needs their candidates no more.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import { candidateView, type LocalCandidate, relayedCandidate } from "../ice/candidate.ts";
import { createGathering, type Gathering, type GatheringEvent } from "../ice/gathering.ts";
import type { Pacer } from "../ice/pacer.ts";
import type { InstantMs, Rng } from "../machine.ts";
import { minInstant } from "./min-instant.ts";
import type { IceProfile } from "./node-machine.ts";
import type { Outbox } from "./outbox.ts";
import type { GatheringCallbacks } from "./session-environment.ts";

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
  /** Begins one; it calls back from `advance`, never at once. The answer ends it. */
  gather(now: InstantMs, peer: string, callbacks: GatheringCallbacks): () => void;
  all(): Iterable<Gathering>;
  /** Moves what gatherings send and report. */
  advance(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

interface Entry {
  readonly peer: string;
  readonly gathering: Gathering;
  readonly tunnelSocket: SocketAddress | undefined;
  readonly callbacks: GatheringCallbacks;
  isDone: boolean;
}

export function createGatheringPool(ground: GatheringGround, outbox: Outbox): GatheringPool {
  const entries = new Set<Entry>();

  const finish = (now: InstantMs, entry: Entry, candidates: readonly LocalCandidate[]): void => {
    entry.isDone = true;
    outbox.emit({ type: "gathering-done", peer: entry.peer, candidates: candidates.length });
    entry.callbacks.done(now, withTunnelMapping(candidates, entry.tunnelSocket));
  };
  const take = (now: InstantMs, entry: Entry, event: GatheringEvent): void => {
    const { peer, isDone, callbacks } = entry;
    switch (event.type) {
      case "candidate":
        // The offer has left: what is found now goes into the next one.
        if (isDone) outbox.count("gathering.late-candidate");
        else outbox.emit({ type: "candidate", peer, candidate: candidateView(event.candidate) });
        break;
      case "server-failed":
        outbox.count("gathering.server-failed");
        break;
      case "mapping-changed": {
        const [before, after] = [candidateView(event.before), candidateView(event.after)];
        outbox.emit({ type: "mapping-changed", peer, before, after });
        if (isDone) callbacks.mappingChanged(now);
        break;
      }
      case "done":
        finish(now, entry, event.candidates);
        break;
    }
  };
  const drain = (now: InstantMs, entry: Entry): void => {
    const { gathering } = entry;
    for (let sent = gathering.pollTransmit(); sent !== undefined; sent = gathering.pollTransmit())
      outbox.transmit(sent);
    for (let event = gathering.pollEvent(); event !== undefined; event = gathering.pollEvent()) take(now, entry, event);
  };
  return {
    gather(now, peer, callbacks) {
      const { profile, rng, pacer, servers, homeAddress } = ground;
      const tunnelSocket = ground.tunnelSocket();
      const relayed = tunnelSocket && relayedCandidate({ ip: homeAddress, port: tunnelSocket.port });
      const config = { profile, rng, pacer, servers, bases: ground.sockets(), ...(relayed && { relayed }) };
      const gathering = createGathering(config);
      const entry: Entry = { peer, gathering, tunnelSocket, callbacks, isDone: false };
      gathering.start(now);
      entries.add(entry);
      return () => {
        gathering.stop();
        entries.delete(entry);
      };
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
