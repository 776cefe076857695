/**
 * What a probe must observe if every NAT and firewall on its way behaves as the topology declares. The probe's requests
 * run through the model (`topology/predict/`), so that a chain behaves as composed: a mapping depends on everything
 * that any NAT of the chain depends on, filtering is as strict as the strictest, and hairpinning is done by the
 * outermost NAT, if the filters inside of it admit the packets.
 */

import { concludeObservation, type NatObservation, type ProbeAnswers } from "@testbed/agent/control";
import type { ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { createNetworkModel, type NetworkModel } from "../topology/predict/network-model.ts";
import { type Endpoint, sameEndpoint } from "../topology/predict/packet.ts";

/** The node that probes, its sockets, and the server. */
export interface ProbeEnds {
  readonly node: ResolvedNode;
  /** Five sockets: see the agent's `NatProbe`. */
  readonly sockets: readonly Endpoint[];
  readonly server: {
    readonly node: ResolvedNode;
    readonly first: Endpoint;
    readonly second: Endpoint;
  };
}

/** Predicts the observation in a topology in which only the probes `before` it have been sent. */
export function expectedObservation(
  topology: ResolvedTopology,
  ends: ProbeEnds,
  before: readonly ProbeEnds[] = [],
): NatObservation {
  const network = createNetworkModel(topology);
  for (const each of before) observationIn(network, each);
  return observationIn(network, ends);
}

function observationIn(network: NetworkModel, ends: ProbeEnds): NatObservation {
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

/** The outside address that the server sees, if its answer from `origin` reaches the socket. */
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

/** Each socket sends to the other's mapped address, more than once: the first packet may only open the filter. */
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
