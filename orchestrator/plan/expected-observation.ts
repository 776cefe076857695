/**
 * What a probe must see if every middlebox on its way is what the topology declares it to be. The probe's questions are asked
 * of the middleboxes as predicted (`topology/predict/`), so that a chain of middleboxes gives what their composition gives: a mapping
 * depends on whatever one of them looks at, a filter is as strict as the strictest, and packets turn round at the
 * outermost middlebox that translates, where the filters inside of it let them.
 */

import { concludeObservation, type NatObservation, type ProbeAnswers } from "@testbed/agent/control";
import type { ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { createNetworkModel, type NetworkModel } from "../topology/predict/network-model.ts";
import { type Endpoint, sameEndpoint } from "../topology/predict/packet.ts";

/** A node of the topology, and what its probe uses. */
export interface ProbeEnds {
  readonly node: ResolvedNode;
  /** The five sockets: see the agent's `NatProbe`. */
  readonly sockets: readonly Endpoint[];
  readonly server: {
    readonly node: ResolvedNode;
    readonly first: Endpoint;
    readonly second: Endpoint;
  };
}

/** Asks the middleboxes of a topology in which nothing else has been sent. */
export function expectedObservation(topology: ResolvedTopology, ends: ProbeEnds): NatObservation {
  const network = createNetworkModel(topology);
  const [mapping, filterAddress, filterPort, hairpinA, hairpinB] = ends.sockets;
  if (!mapping || !filterAddress || !filterPort || !hairpinA || !hairpinB)
    throw new RangeError(`a probe needs 5 sockets, not ${ends.sockets.length}`);
  const { first, second } = ends.server;
  const otherPort = { ip: first.ip, port: second.port };
  const mappedFirst = ask(network, ends, mapping, first);
  const mappedSecondAddress = ask(network, ends, mapping, { ip: second.ip, port: first.port });
  const mappedSecondPort = ask(network, ends, mapping, second);
  const mappings = [mappedFirst, mappedSecondAddress, mappedSecondPort].flatMap((mapped) =>
    mapped === undefined ? [] : [{ localPort: mapping.port, mapped }],
  );
  const answers: ProbeAnswers = {
    local: mapping,
    mappings,
    ...(mappedFirst && { mappedFirst }),
    ...(mappedSecondAddress && { mappedSecondAddress }),
    ...(mappedSecondPort && { mappedSecondPort }),
    passesOtherAddress: ask(network, ends, filterAddress, first, second) !== undefined,
    passesOtherPort: ask(network, ends, filterPort, first, otherPort) !== undefined,
    hairpinned: hairpins(network, ends, hairpinA, hairpinB),
  };
  return concludeObservation(answers);
}

/** The outside address that the server sees and that comes back to the node in an answer from `origin`. */
function ask(
  network: NetworkModel,
  { node, server }: ProbeEnds,
  socket: Endpoint,
  asked: Endpoint,
  origin: Endpoint = asked,
): Endpoint | undefined {
  const request = network.send(node, { source: socket, destination: asked });
  if (!request.arrived || request.at.name !== server.node.name) return undefined;
  const mapped = request.packet.source;
  const answer = network.send(server.node, { source: origin, destination: mapped });
  const isBack = answer.arrived && answer.at.name === node.name && sameEndpoint(answer.packet.destination, socket);
  return isBack ? mapped : undefined;
}

/** Each socket sends to where the other is seen, more than once: the first packet may only open the way for the second. */
function hairpins(network: NetworkModel, ends: ProbeEnds, a: Endpoint, b: Endpoint): boolean {
  const { node, server } = ends;
  const [mappedA, mappedB] = [ask(network, ends, a, server.first), ask(network, ends, b, server.first)];
  if (mappedA === undefined || mappedB === undefined) return false;
  const crossings = [
    { source: a, destination: mappedB, target: b },
    { source: b, destination: mappedA, target: a },
    { source: a, destination: mappedB, target: b },
  ];
  return crossings
    .map(({ source, destination, target }) => {
      const delivery = network.send(node, { source, destination });
      return delivery.arrived && delivery.at.name === node.name && sameEndpoint(delivery.packet.destination, target);
    })
    .some((arrived) => arrived);
}
