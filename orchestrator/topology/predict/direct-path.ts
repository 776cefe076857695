/**
 * The model of a direct path in use: the pair that carries a session's data, in the network in which it was found. Its
 * ends need neither home agents nor servers for it.
 */

import type { ResolvedTopology, TimelineAction } from "../model/resolved.ts";
import type { SessionEnd } from "../model/session-end.ts";
import type { ValidPair } from "./check-model.ts";
import type { NetworkModel } from "./network-model.ts";
import { type Endpoint, type ModelPacket, sameEndpoint } from "./packet.ts";

/**
 * `carries`: consent checks are answered. `remapped`: they are answered, but show another mapping, which ends the pair
 * at once. `silent`: none is answered.
 */
export type PairState = "carries" | "remapped" | "silent";

export interface DirectPath {
  /** What becomes of the pair with an event. */
  change(after: ResolvedTopology, actions: readonly TimelineAction[]): PairState;
}

/** One end of the pair: its socket, and the address that it sends to. */
interface End {
  readonly name: string;
  readonly socket: Endpoint;
  readonly peer: Endpoint;
}

/** A filter that has forgotten its flows is opened by what its own end sends, for the second round. */
const ROUNDS = 2;

/** The path over a valid pair of `checking`, whose checks `checked` answers. */
export function createDirectPath(
  network: NetworkModel,
  checking: { readonly node: SessionEnd; readonly pair: ValidPair },
  checked: SessionEnd,
): DirectPath {
  const { local, remote } = checking.pair;
  const check = network.send(checking.node, { source: local.base, destination: remote.address });
  const socket = check.arrived ? check.packet.destination : remote.address;
  const one: End = { name: checking.node.name, socket: local.base, peer: remote.address };
  const other: End = { name: checked.name, socket, peer: local.address };
  return {
    change(after, actions) {
      for (const action of actions) network.change(after, action);
      const sent = (from: End, to: End, destination: Endpoint): ModelPacket | undefined => {
        const node = after.nodes.find(({ name }) => name === from.name);
        const delivery = node && network.send(node, { source: from.socket, destination });
        const isThere = delivery?.arrived === true && delivery.at.name === to.name;
        return isThere && sameEndpoint(delivery.packet.destination, to.socket) ? delivery.packet : undefined;
      };
      /** Whether a check of `from` is answered, and from where it was seen to come. */
      const asked = (from: End, to: End): PairState => {
        const request = sent(from, to, from.peer);
        const answer = request && sent(to, from, request.source);
        if (request === undefined || answer === undefined) return "silent";
        return sameEndpoint(request.source, to.peer) ? "carries" : "remapped";
      };
      let states: readonly PairState[] = [];
      for (let round = 0; round < ROUNDS; round += 1) states = [asked(one, other), asked(other, one)];
      return states.find((state) => state !== "carries") ?? "carries";
    },
  };
}
