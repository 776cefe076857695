/** One gathering and its sessions: each is notified of candidates, of the end, and of changes. */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import { candidateView, type LocalCandidate, relayedCandidate, sameLocalCandidate } from "../../ice/candidate.ts";
import type { Gathering, GatheringEvent } from "../../ice/gathering.ts";
import type { InstantMs } from "../../machine.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { GatheringCallbacks } from "../session/session-environment.ts";

/** A gathering with the sessions that wait for it or need its mappings refreshed. */
export interface SharedGathering {
  readonly gathering: Gathering;
  /** Adds a session. The returned function removes it, and stops the gathering with its last session. */
  join(peer: string, callbacks: GatheringCallbacks): () => void;
  readonly isDeserted: boolean;
  /** Passes on packets and events of the gathering. */
  advance(now: InstantMs): void;
}

/** State of one session. */
interface Taker {
  readonly peer: string;
  readonly callbacks: GatheringCallbacks;
  /** Candidates reported to it. */
  told: readonly LocalCandidate[];
  isDone: boolean;
}

/** Shares a started gathering. The tunnel's socket, if any, has the mapped address of the relayed candidate. */
export function shareGathering(
  gathering: Gathering,
  tunnelSocket: SocketAddress | undefined,
  outbox: Outbox,
): SharedGathering {
  const takers = new Set<Taker>();

  const take = (now: InstantMs, event: GatheringEvent): void => {
    switch (event.type) {
      case "candidate":
        // Offers already sent lack it; the next ones have it. `tell` notifies sessions that still wait.
        for (const { isDone } of takers) if (isDone) outbox.count("gathering.late-candidate");
        break;
      case "server-failed":
        outbox.count("gathering.server-failed");
        break;
      case "mapping-changed": {
        const [before, after] = [candidateView(event.before), candidateView(event.after)];
        for (const { peer, isDone, callbacks } of takers) {
          outbox.emit({ type: "mapping-changed", peer, before, after });
          if (isDone) callbacks.mappingChanged(now);
        }
        break;
      }
      case "done":
        break;
    }
  };
  const tell = (now: InstantMs, taker: Taker): void => {
    const { peer, told, callbacks } = taker;
    const candidates = gathering.candidates();
    for (const candidate of candidates) {
      if (told.some((known) => sameLocalCandidate(known, candidate))) continue;
      outbox.emit({ type: "candidate", peer, candidate: candidateView(candidate) });
    }
    taker.told = candidates;
    if (!gathering.isDone) return;
    taker.isDone = true;
    outbox.emit({ type: "gathering-done", peer, candidates: candidates.length });
    callbacks.done(now, withTunnelMapping(candidates, tunnelSocket));
  };
  return {
    gathering,
    join(peer, callbacks) {
      const taker: Taker = { peer, callbacks, told: [], isDone: false };
      takers.add(taker);
      return () => {
        takers.delete(taker);
        if (takers.size === 0) gathering.stop();
      };
    },
    get isDeserted() {
      return takers.size === 0;
    },
    advance(now) {
      for (let sent = gathering.pollTransmit(); sent !== undefined; sent = gathering.pollTransmit())
        outbox.transmit(sent);
      for (let event = gathering.pollEvent(); event !== undefined; event = gathering.pollEvent()) take(now, event);
      for (const taker of takers) if (!taker.isDone) tell(now, taker);
    },
  };
}

/** The related address of the relayed candidate is the mapped address of the tunnel (SPEC 2.2). */
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
