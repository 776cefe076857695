/**
 * Probes from outside a router that verify its forwards, pinholes and open prefixes, each with a closed port beside it.
 */

import type { SocketProtocol } from "@testbed/agent/control";
import { alwaysDraws } from "../render/drawn-ports.ts";
import { familyOfText, formatEndpoint, withoutLength } from "../topology/model/address-text.ts";
import { outsideInterfaces, outsideIpv4 } from "../topology/model/outside.ts";
import { type RoundTripImpairment, roundTripImpairment } from "../topology/model/path-impairments.ts";
import type { ResolvedInterface, ResolvedNode, ResolvedRouter, ResolvedTopology } from "../topology/model/resolved.ts";
import { createNetworkModel } from "../topology/predict/network-model.ts";
import { type Endpoint, sameEndpoint } from "../topology/predict/packet.ts";
import { createPrefixTranslation } from "../topology/predict/prefix-model.ts";
import { tcpNetwork } from "../topology/predict/tcp-network.ts";
import { derivedHex } from "../topology/resolve/seed.ts";
import type { Unprobed } from "./unprobed.ts";

/** What admits packets from outside. */
export const INBOUND_KINDS = ["forward", "pinhole", "prefix"] as const;

/** A probe of one declared way in through a router, and of the port beside it that must stay closed. */
export interface InboundProbe {
  readonly router: string;
  readonly kind: (typeof INBOUND_KINDS)[number];
  /** TCP is tried with SYNs: it need not be that anybody listens. */
  readonly protocol: SocketProtocol;
  /** The sender, and which of its addresses it uses. */
  readonly from: { readonly node: string; readonly ip: string };
  /** Where it is sent to, and where it must arrive. */
  readonly destination: Endpoint;
  readonly target: { readonly node: string } & Endpoint;
  /** A port of the same address that must not be reachable; absent where every port is. */
  readonly closedPort?: number;
  readonly ipVersion: 4 | 6;
  /** Every node that must exist. */
  readonly needs: readonly string[];
  readonly roundTrip: RoundTripImpairment;
  /** Seed of the marks in its datagrams: octets in hex. */
  readonly seed: string;
}

export interface InboundProbePlan {
  readonly inbound: readonly InboundProbe[];
  readonly notProbed: readonly Unprobed[];
}

/** Plans a probe for each declared way in. */
export function planInboundProbes(topology: ResolvedTopology): InboundProbePlan {
  const planned = topology.nodes.flatMap((node) => (node.role === "router" ? planMiddlebox(topology, node) : []));
  return {
    inbound: planned.flatMap((each) => ("target" in each ? [each] : [])),
    notProbed: planned.flatMap((each) => ("reason" in each ? [each] : [])),
  };
}

function planMiddlebox(topology: ResolvedTopology, router: ResolvedRouter): readonly (InboundProbe | Unprobed)[] {
  return inbound(topology, router).map((way) => {
    const because = (reason: string): Unprobed => ({ router: router.name, lan: "outside", reason });
    if (way.kind === "other") return because(way.reason);
    return planProbe(topology, router, way) ?? because(`nobody outside has a way to ${formatEndpoint(way.target)}`);
  });
}

/** A way in: where a sender outside sends to, and where it must arrive. */
interface WayIn extends Pick<InboundProbe, "kind" | "protocol"> {
  readonly destination: Endpoint;
  readonly target: Endpoint;
}

/** A way in that cannot be tested. */
interface OtherWay {
  readonly kind: "other";
  readonly reason: string;
}

function inbound(topology: ResolvedTopology, router: ResolvedRouter): readonly (WayIn | OtherWay)[] {
  return [...forwards(router), ...pinholes(router), ...openPrefixes(topology, router)];
}

function forwards(router: ResolvedRouter): readonly (WayIn | OtherWay)[] {
  const outside = outsideIpv4(router);
  return router.forwards.map(({ protocol, port, to, toPort }) => {
    if (outside === undefined)
      return { kind: "other", reason: `it has no IPv4 address to forward ${protocol.toUpperCase()} port ${port} of` };
    return { kind: "forward", protocol, destination: { ip: outside, port }, target: { ip: to, port: toPort } };
  });
}

/** A port for ways that are open to every port: discard (RFC 863), on which nothing in a lab listens. */
const ANY_PORT = 9;

function pinholes(router: ResolvedRouter): readonly (WayIn | OtherWay)[] {
  return router.firewall.pinholes.map(({ protocol, to, port = ANY_PORT }) => {
    if (protocol === "mh")
      return { kind: "other", reason: `Mobility Headers to ${to} are let in, which UDP does not show` };
    const ip = to.includes("/") ? undefined : to;
    if (ip === undefined) return { kind: "other", reason: `the pinhole for ${to} is for a network and not for a node` };
    const target = { ip, port };
    return { kind: "pinhole", protocol, destination: outsideOf(router, target), target };
  });
}

/** Behind an open firewall, each inside host can be reached at its translated address. */
function openPrefixes(topology: ResolvedTopology, router: ResolvedRouter): readonly WayIn[] {
  if (router.firewall.inbound !== "open") return [];
  return router.prefixes.flatMap(({ inside }): readonly WayIn[] => {
    const family = familyOfText(inside);
    const segments = router.interfaces.filter(({ interfaceName }) => router.lan.includes(interfaceName));
    const [host] = topology.nodes.flatMap((node) =>
      node.role === "router"
        ? []
        : node.interfaces.flatMap((on) =>
            segments.some((own) => own.segment === on.segment) ? (on[`ipv${family}`] ?? []) : [],
          ),
    );
    if (host === undefined) return [];
    const target = { ip: withoutLength(host), port: ANY_PORT };
    return [{ kind: "prefix", protocol: "udp", destination: outsideOf(router, target), target }];
  });
}

/** The outside endpoint of an inside one: translated where the router translates its prefix, else the same. */
function outsideOf({ name, prefixes }: ResolvedRouter, target: Endpoint): Endpoint {
  const packet = { source: target, destination: target };
  const translated = prefixes.flatMap((prefix) => {
    const outside = createPrefixTranslation(name, prefix).outsideOf(packet);
    return outside !== undefined && "source" in outside ? [outside.source] : [];
  });
  return translated[0] ?? target;
}

/** With more loss than this, missing datagrams mean nothing. */
const MAX_LOSS_RATE = 0.4;

function planProbe(declared: ResolvedTopology, router: ResolvedRouter, way: WayIn): InboundProbe | undefined {
  const { kind, protocol, destination, target } = way;
  const topology = protocol === "tcp" ? tcpNetwork(declared) : declared;
  const ipVersion = familyOfText(target.ip);
  const routers = topology.nodes.filter(({ role }) => role === "router");
  for (const { sender, on, ip } of sendersOf(topology, router, ipVersion)) {
    // A node that reaches IPv4 through a NAT64 does so by sockets of UDP.
    if (protocol === "tcp" && on.nat64 !== undefined) continue;
    const arrived = arrivalOf(topology, sender, ip, destination);
    if (arrived === undefined || !sameEndpoint(arrived, target)) continue;
    const receiver = topology.nodes.find(({ name }) => name === arrived.node);
    const roundTrip = roundTripImpairment([sender, ...routers, ...(receiver === undefined ? [] : [receiver])]);
    if (roundTrip.lossRate > MAX_LOSS_RATE) return undefined;
    const closedPort = closedPortBeside(topology, router, way, (port) =>
      arrivalOf(topology, sender, ip, { ...destination, port }),
    );
    return {
      router: router.name,
      kind,
      protocol,
      from: { node: sender.name, ip },
      destination,
      target: { node: arrived.node, ...target },
      ...(closedPort === undefined ? {} : { closedPort }),
      ipVersion,
      needs: [sender.name, arrived.node, ...routers.map(({ name }) => name)],
      roundTrip,
      seed: derivedHex(
        topology.seed,
        `inbound/${router.name}/${kind}/${protocol}/${destination.ip}/${destination.port}`,
        16,
      ),
    };
  }
  return undefined;
}

/** Nodes that may send, with each of their addresses: those on the router's outside segment first. */
function sendersOf(
  { nodes }: ResolvedTopology,
  router: ResolvedRouter,
  ipVersion: 4 | 6,
): readonly { readonly sender: ResolvedNode; readonly on: ResolvedInterface; readonly ip: string }[] {
  const outside = outsideInterfaces(router).map(({ segment }) => segment);
  const inside = router.interfaces.flatMap(({ interfaceName, segment }) =>
    router.wan.includes(interfaceName) ? [] : [segment],
  );
  return nodes
    .filter(({ role, interfaces }) => role !== "router" && !interfaces.some(({ segment }) => inside.includes(segment)))
    .flatMap((sender) => sender.interfaces.map((on) => ({ sender, on })))
    .toSorted((a, b) => Number(outside.includes(b.on.segment)) - Number(outside.includes(a.on.segment)))
    .flatMap(({ sender, on }) => {
      const own = on[`ipv${ipVersion}`];
      return own === undefined ? [] : [{ sender, on, ip: withoutLength(own) }];
    });
}

/** Any port that nothing else uses. */
const SOURCE_PORT = 60_999;

/** Predicts where a datagram arrives in a lab in which nothing else was sent. */
function arrivalOf(
  topology: ResolvedTopology,
  sender: ResolvedNode,
  ip: string,
  destination: Endpoint,
): InboundProbe["target"] | undefined {
  const delivery = createNetworkModel(topology).send(sender, { source: { ip, port: SOURCE_PORT }, destination });
  if (!delivery.arrived || delivery.at.role === "router") return undefined;
  return { node: delivery.at.name, ...delivery.packet.destination };
}

/** How many quiet ports are tried for a closed one, the nearest first. */
const NEIGHBOURS = 64;

/** The nearest port that leads nowhere, and that no NAT or node may start to use while the lab runs. */
function closedPortBeside(
  { nodes }: ResolvedTopology,
  { nat }: ResolvedRouter,
  { destination: { port } }: WayIn,
  arrival: (port: number) => unknown,
): number | undefined {
  const candidatePorts = new Set(nodes.flatMap((node) => ("port" in node ? [node.port] : [])));
  const drawn = nat !== undefined && alwaysDraws(nat) ? nat.ports : { first: 0, last: 0 };
  const isQuiet = (candidate: number): boolean =>
    candidate > 0 &&
    candidate <= 0xffff &&
    !candidatePorts.has(candidate) &&
    (candidate < drawn.first || candidate > drawn.last);
  return portsBeside(port)
    .filter(isQuiet)
    .take(NEIGHBOURS)
    .find((candidate) => arrival(candidate) === undefined);
}

/** Every other port, the nearest first; some are below or above all ports. */
function* portsBeside(port: number): Generator<number, undefined> {
  for (let away = 1; away <= 0xffff; away += 1) {
    yield port + away;
    yield port - away;
  }
}
