/** Turns a resolved topology into a plan: every segment, node and rule text. */

import { CONTROL_VERSION, type NodeSetup, type RoleSetup } from "@testbed/agent/control";
import { renderRules } from "../render/rules.ts";
import { familyOfText } from "../topology/model/address-text.ts";
import { isIsolatedClient } from "../topology/model/isolation.ts";
import type {
  ResolvedHomeAgent,
  ResolvedHost,
  ResolvedInterface,
  ResolvedMobileNode,
  ResolvedNode,
  ResolvedStationaryNode,
  ResolvedTopology,
} from "../topology/model/resolved.ts";
import { homeAgentAddresses, stunAddresses } from "../topology/model/server-addresses.ts";
import { isMobile, isSessionEnd, peerAddressOf, type SessionEnd } from "../topology/model/session-end.ts";
import { derivedHex } from "../topology/resolve/seed.ts";
import { daemonsOf } from "./daemons/daemons.ts";
import { edgeRoutes } from "./edge-routes.ts";
import { namesOf } from "./names.ts";
import { addressesOf, kernelRoutes } from "./nat64-access.ts";
import type { NodeSpec, Plan, UnboundInterface, UnboundSetup } from "./plan.ts";
import { planProgram } from "./program-plan.ts";
import { sysctlsOf } from "./sysctls.ts";
import { laterInterfaces, localAddresses, planTimeline } from "./timeline-plan.ts";
import { uplinkRoutes } from "./uplink-routes.ts";

export interface PlanOptions {
  /** Whether nodes capture their segments and stream the frames to the orchestrator. */
  readonly capture: boolean;
  /** Whether the nodes that make offers connect by themselves once ready, for a lab without orchestrator. */
  readonly autostart?: boolean;
}

/** RFC 8200 section 5: what the path does not carry of it the agents fragment. */
const LEAST_IPV6_MTU = 1280;

/** MTU of a segment that says no other, and what UDP encapsulation over either IP version takes of it (SPEC 8.6). */
const SEGMENT_MTU = 1500;
const ENCAPSULATION_OCTETS = { 4: 28, 6: 48 } as const;

const LINK_SEED_OCTETS = 8;

/** Plans a lab. Deterministic: the same topology and options make the same plan. */
export function buildPlan(topology: ResolvedTopology, options: PlanOptions): Plan {
  return {
    topology: topology.name,
    segments: topology.segments.map(({ name, interfaceName }) => ({ name, interfaceName })),
    nodes: topology.nodes.map((node) => planNode(topology, node, options)),
    programs: topology.nodes.flatMap((node) => planProgram(topology, node)),
    timeline: planTimeline(topology),
  };
}

function planNode(topology: ResolvedTopology, node: ResolvedNode, options: PlanOptions): NodeSpec {
  const segments = [...node.interfaces, ...laterInterfaces(topology, node)].map(({ segment }) => segment);
  const isolatedOn = segments.filter((segment) => isIsolatedClient(topology, node, segment));
  return {
    name: node.name,
    sysctls: sysctlsOf(node),
    // An impaired link may have to be emulated in the node itself, on a TAP device.
    tun:
      (node.role === "router" && node.nat64 !== undefined) ||
      node.role === "home-agent" ||
      (isSessionEnd(node) && !isPlainHost(node)) ||
      (node.role === "host" && node.devices.includes("/dev/net/tun")) ||
      node.interfaces.some(({ impairment }) => impairment !== undefined),
    segments,
    ...(isolatedOn.length === 0 ? {} : { isolatedOn }),
    setup: planSetup(topology, node, options),
  };
}

function planSetup(topology: ResolvedTopology, node: ResolvedNode, options: PlanOptions): UnboundSetup {
  const peers = options.autostart === true ? peersOf(topology, node) : [];
  const daemons = daemonsOf(node, namesOf(topology));
  return {
    version: CONTROL_VERSION,
    node: node.name,
    interfaces: [
      ...node.interfaces.map((attached) => planInterface(topology, node, attached)),
      ...laterInterfaces(topology, node).map((later) => ({ ...planInterface(topology, node, later), isStandby: true })),
    ],
    routes: [...kernelRoutes(node), ...edgeRoutes(topology, node), ...uplinkRoutes(topology, node)],
    rules: node.role === "router" ? renderRules(node) : [],
    hosts: hostNames(topology, node),
    ...namesFrom(node),
    ...(daemons.length === 0 ? {} : { daemons }),
    capture: options.capture,
    role: planRole(topology, node),
    ...(peers.length === 0 ? {} : { autostart: { connect: peers } }),
  };
}

function planInterface(topology: ResolvedTopology, node: ResolvedNode, attached: ResolvedInterface): UnboundInterface {
  const { segment, interfaceName, mac, impairment } = attached;
  const mtuOctets = topology.segments.find(({ name }) => name === segment)?.mtuOctets;
  const seed = derivedHex(topology.seed, `link/${node.name}/${segment}`, LINK_SEED_OCTETS);
  return {
    segment,
    interfaceName,
    mac,
    ...addressesOf(attached),
    ...(mtuOctets === undefined ? {} : { mtuOctets }),
    ...(impairment === undefined ? {} : { impairment: { ...impairment, seed } }),
  };
}

/** What a node knows without asking: every name, or with a name server its own alone, so that the server is used. */
function hostNames(topology: ResolvedTopology, node: ResolvedNode): NodeSetup["hosts"] {
  const names = namesOf(topology);
  return asksForNames(node) ? names.filter(({ name }) => name === node.name) : names;
}

function namesFrom(node: ResolvedNode): Pick<NodeSetup, "nameServers"> {
  return asksForNames(node) ? { nameServers: node.nameServers } : {};
}

function asksForNames(node: ResolvedNode): node is ResolvedHost {
  return node.role === "host" && node.nameServers.length > 0;
}

function planRole(topology: ResolvedTopology, node: ResolvedNode): RoleSetup {
  switch (node.role) {
    case "router":
      return { type: "router", ...(node.nat64 === undefined ? {} : { nat64: node.nat64 }) };
    case "host":
    case "dns":
      return { type: node.role };
    case "stun-server":
      return { type: "stun-server", listen: node.listen, alternate: node.alternate };
    case "home-agent":
      return {
        type: "home-agent",
        address: node.address,
        homePrefix: node.homePrefix,
        listen: node.listen,
        alternate: node.alternate,
        registrationKeys: registrationKeys(topology, node),
        tunMtu: homeAgentMtu(node),
        seed: nodeSeed(topology, node),
      };
    case "mobile-node":
    case "correspondent-node":
      return {
        type: node.role,
        homeAddress: node.homeAddress,
        homeAgent: homeAgentOf(topology, node),
        peers: sessionPeersOf(topology, node.name),
        localAddresses: localAddresses(node.interfaces),
        port: node.port,
        ...node.agent,
        registrationKey: registrationKey(topology, node),
        tunMtu: nodeMtu(topology, node),
        seed: nodeSeed(topology, node),
      };
    case "stationary-node":
      if (node.speaks === "ipv6") return { type: "host" };
      return {
        type: node.role,
        address: node.address,
        speaks: node.speaks,
        homePrefixes: topology.nodes.flatMap((other) => (other.role === "home-agent" ? [other.homePrefix] : [])),
        stunServers: stunServersOf(topology, node),
        localAddresses: localAddresses(node.interfaces),
        port: node.port,
        ...node.agent,
        tunMtu: nodeMtu(topology, node),
        seed: nodeSeed(topology, node),
      };
  }
}

/** One MTU for the tunnel and for direct paths, by every IP version that either may take. */
function nodeMtu(topology: ResolvedTopology, node: SessionEnd): number {
  const places = [...node.interfaces, ...laterInterfaces(topology, node)];
  const mtus = topology.segments.flatMap(({ name, mtuOctets }) =>
    mtuOctets !== undefined && places.some(({ segment }) => segment === name) ? [mtuOctets] : [],
  );
  const least = Math.min(SEGMENT_MTU, ...mtus);
  return Math.max(least - ENCAPSULATION_OCTETS[places.some(({ ipv6 }) => ipv6 !== undefined) ? 6 : 4], LEAST_IPV6_MTU);
}

/**
 * Nodes that use IPv6 send no packet that is too large for it; what others send them is fragmented, and none that
 * arrives over IPv4 is refused.
 */
function homeAgentMtu({ listen }: ResolvedHomeAgent): number {
  return SEGMENT_MTU - ENCAPSULATION_OCTETS[listen.some((ip) => familyOfText(ip) === 4) ? 4 : 6];
}

/** A node with a kernel and no protocol of ours. */
function isPlainHost(node: SessionEnd): boolean {
  return node.role === "stationary-node" && node.speaks === "ipv6";
}

function homeAgentOf(topology: ResolvedTopology, node: ResolvedMobileNode) {
  const found = topology.nodes.find(({ name }) => name === node.homeAgent);
  if (found?.role !== "home-agent") throw new RangeError(`${node.name} has no home agent ${node.homeAgent}`);
  return { address: found.address, listen: homeAgentAddresses(topology, node, found) };
}

/** Addresses of the other ends of a node's sessions. */
function sessionPeersOf({ nodes, sessions }: ResolvedTopology, name: string): readonly string[] {
  const others = new Set(sessions.flatMap(({ from, to }) => (from === name ? [to] : to === name ? [from] : [])));
  return nodes.filter(isSessionEnd).flatMap((node) => (others.has(node.name) ? [peerAddressOf(node)] : []));
}

function stunServersOf(topology: ResolvedTopology, node: ResolvedStationaryNode): readonly string[] {
  const server = topology.nodes.find(({ name }) => name === node.stun);
  return server === undefined ? [] : stunAddresses(topology, node, server);
}

/** Shared keys of the home registrations, all derived from the seed; they are not secrets. */
function registrationKeys(topology: ResolvedTopology, homeAgent: ResolvedHomeAgent): Readonly<Record<string, string>> {
  const served = topology.nodes.filter(isMobile).filter((node) => node.homeAgent === homeAgent.name);
  return Object.fromEntries(served.map((node) => [node.homeAddress, registrationKey(topology, node)]));
}

function registrationKey({ seed }: ResolvedTopology, { homeAddress }: ResolvedMobileNode): string {
  return derivedHex(seed, `registration/${homeAddress}`, 20);
}

function nodeSeed({ seed }: ResolvedTopology, { name }: ResolvedNode): string {
  return derivedHex(seed, `node/${name}`, 32);
}

function peersOf(topology: ResolvedTopology, node: ResolvedNode): readonly string[] {
  return topology.sessions
    .filter(({ from }) => from === node.name)
    .flatMap(({ to }) => topology.nodes.filter(isSessionEnd).filter(({ name }) => name === to))
    .map(peerAddressOf);
}
