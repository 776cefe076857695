/**
 * Plans which node probes through which routers to which server, so that each router is probed from each of its LANs.
 */

import { ALTERNATE_STUN_PORT, type NatObservation, STUN_PORT } from "@testbed/agent/control";
import { alwaysDraws } from "../render/drawn-ports.ts";
import { familyOfText, withoutLength } from "../topology/model/address-text.ts";
import { nextHop, sourceAddresses } from "../topology/model/forwarding.ts";
import { blockOf } from "../topology/model/inside-hosts.ts";
import { outsideInterfaces, outsideIpv4 } from "../topology/model/outside.ts";
import { type RoundTripImpairment, roundTripImpairment } from "../topology/model/path-impairments.ts";
import type {
  ResolvedHomeAgent,
  ResolvedInterface,
  ResolvedNode,
  ResolvedRouter,
  ResolvedStunServer,
  ResolvedTopology,
} from "../topology/model/resolved.ts";
import { derivedHex } from "../topology/resolve/seed.ts";
import { expectedObservation, type ProbeEnds } from "./expected-observation.ts";
import { type InboundProbe, planInboundProbes } from "./inbound-probe-plan.ts";
import { createPortBudget, type PortBudget } from "./port-budget.ts";
import { probePortBlocks } from "./probe-ports.ts";
import type { Unprobed } from "./unprobed.ts";

export type IpVersion = 4 | 6;

/** A transport address. */
interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** One probe from a router's LAN, and what it must observe. */
export interface VerificationProbe {
  /** The router that is verified, and the inside segment that the probe comes from. */
  readonly router: string;
  readonly lan: string;
  readonly node: string;
  readonly ipVersion: IpVersion;
  readonly local: string;
  /** The first of the ports reserved for the probe; see `PORTS_PER_PROBE`. */
  readonly firstPort: number;
  readonly server: { readonly node: string; readonly first: Endpoint; readonly second: Endpoint };
  /** The routers on the way that translate or filter, innermost first: the probe observes their composition. */
  readonly through: readonly string[];
  /** Every node that must exist. */
  readonly needs: readonly string[];
  readonly expected: NatObservation;
  /** The range that the outermost NAT draws its ports from; absent when it preserves ports. */
  readonly drawnFrom?: { readonly first: number; readonly last: number };
  /** The shortest lifetime of flows on the way, seconds; absent where nothing on the way is stateful. */
  readonly lifetimeSec?: number;
  /**
   * Whether packets from outside refresh a flow, in all stateful routers on the way or in none; absent where they
   * differ.
   */
  readonly inboundRefresh?: boolean;
  /** Another node that probes from the same LAN and ports: no NAT may assign both the same outside port. */
  readonly rival?: string;
  /** True where they share outside ports while their destinations differ (`portAssignment: overload`). */
  readonly sharesPorts?: boolean;
  /** Effect of the link impairments on the way. */
  readonly roundTrip: RoundTripImpairment;
  readonly seed: string;
}

export interface ProbePlan {
  readonly probes: readonly VerificationProbe[];
  /** Probes from outside, through forwards, pinholes and open prefixes. */
  readonly inbound: readonly InboundProbe[];
  readonly notProbed: readonly Unprobed[];
}

/** How many hosts on one LAN probe from the same ports. */
const RIVALS = 2;

/** With more round trips lost than this, missing answers mean nothing. */
const MAX_LOSS_RATE = 0.4;

/** Plans the probes of a topology; none for routers that neither translate nor filter. */
export function planProbes(topology: ResolvedTopology): ProbePlan {
  const ways = topology.nodes.flatMap((node) => waysOf(topology, node));
  const lans = topology.nodes.flatMap((node) => (node.role === "router" ? lansToProbe(topology, node) : []));
  const chosen = lans.map((lan) => ({ lan, ways: chooseWays(ways, lan) }));
  const budget = createPortBudget((router) => nodesThrough(ways, router));
  const refusals = chosen.map(({ lan, ways: own }) => whyNotProbed(topology, lan, { own, all: ways, budget }));
  const asked = chosen.filter((_, i) => refusals[i] === undefined);
  const blocks = probePortBlocks(topology, asked.length);
  const fromOutside = planInboundProbes(topology);
  return {
    probes: asked.flatMap(({ lan, ways: own }, i) =>
      asRivals(own).map((way, _, rivals) => planProbe(topology, lan, { way, rivals, firstPort: blocks[i] ?? 0 })),
    ),
    inbound: fromOutside.inbound,
    notProbed: withoutRepetitions([...refusals.flatMap((refusal) => refusal ?? []), ...fromOutside.notProbed]),
  };
}

/** A router's LAN, for one IP version. */
interface LanSide {
  readonly router: ResolvedRouter;
  readonly segment: string;
  readonly ipVersion: IpVersion;
}

/** A node's route to a server with two addresses. */
interface Way {
  readonly node: ResolvedNode;
  readonly on: ResolvedInterface;
  readonly local: string;
  readonly ipVersion: IpVersion;
  readonly server: { readonly node: ResolvedNode; readonly first: Endpoint; readonly second: Endpoint };
  /** Every router on the way, innermost first. */
  readonly routers: readonly PassedRouter[];
}

/** A router, and the segments by which packets enter and leave it. */
interface PassedRouter {
  readonly router: ResolvedRouter;
  readonly from: string;
  readonly to: string;
}

function lansToProbe(topology: ResolvedTopology, router: ResolvedRouter): readonly LanSide[] {
  const versions = ([4, 6] as const).filter((ipVersion) => actsOn(router, ipVersion));
  return router.lan.flatMap((interfaceName) => {
    const own = router.interfaces.find((candidate) => candidate.interfaceName === interfaceName);
    const segment = topology.segments.find(({ name }) => name === own?.segment);
    if (own === undefined || segment === undefined) return [];
    return versions
      .filter((ipVersion) => own[`ipv${ipVersion}`] !== undefined)
      .map((ipVersion) => ({ router, segment: segment.name, ipVersion }));
  });
}

/** Whether a router translates or filters packets of an IP version. */
function actsOn({ nat, prefixes, firewall }: ResolvedRouter, ipVersion: IpVersion): boolean {
  const translates =
    (ipVersion === 4 && nat !== undefined) || prefixes.some(({ inside }) => familyOfText(inside) === ipVersion);
  return translates || firewall.inbound !== "open" || firewall.outboundUdp !== "all";
}

/** Whether what a router admits depends on what went out before. */
function remembers({ nat, firewall }: ResolvedRouter, ipVersion: IpVersion): boolean {
  return (ipVersion === 4 && nat !== undefined) || firewall.inbound === "stateful";
}

/**
 * One way from each of a node's addresses by its own segment: to its home agent if it has one, else to the first
 * reachable server. A server behind a router of its own is used only if there is no other: that router would be
 * observed as well.
 */
function waysOf(topology: ResolvedTopology, node: ResolvedNode): readonly Way[] {
  if (node.role === "router") return [];
  const ownFirst = (server: ResolvedNode): number => ("homeAgent" in node && node.homeAgent === server.name ? 0 : 1);
  const servers = topology.nodes
    .filter(isStunServer)
    .filter(({ name }) => name !== node.name)
    .toSorted((a, b) => ownFirst(a) - ownFirst(b));
  const addresses = node.interfaces.flatMap((on) =>
    ([4, 6] as const).flatMap((ipVersion) => {
      const local = on[`ipv${ipVersion}`];
      return local === undefined ? [] : [{ on, ipVersion, local: withoutLength(local) }];
    }),
  );
  return addresses.flatMap(({ on, ipVersion, local }) => {
    const ways = servers.flatMap((server): Way[] => {
      const asked = discoveryAddresses(server, ipVersion);
      if (asked === undefined || !sourceAddresses(topology, node, asked.first.ip).includes(local)) return [];
      const routers = routersBetween(topology, { node, local }, server, asked.first.ip);
      if (routers === undefined || routers.length === 0) return [];
      return [{ node, on, local, ipVersion, server: { node: server, ...asked }, routers }];
    });
    const best = ways.find(leadsOutward) ?? ways[0];
    return best === undefined ? [] : [best];
  });
}

function isStunServer(node: ResolvedNode): node is ResolvedHomeAgent | ResolvedStunServer {
  return node.role === "home-agent" || node.role === "stun-server";
}

function discoveryAddresses(
  { listen, alternate }: ResolvedHomeAgent | ResolvedStunServer,
  ipVersion: IpVersion,
): { readonly first: Endpoint; readonly second: Endpoint } | undefined {
  const [first, second] = [listen, alternate].map((ips) => ips.find((ip) => familyOfText(ip) === ipVersion));
  if (first === undefined || second === undefined) return undefined;
  return { first: { ip: first, port: STUN_PORT }, second: { ip: second, port: ALTERNATE_STUN_PORT } };
}

/** The routers that a packet passes, or undefined if it does not arrive. */
function routersBetween(
  topology: ResolvedTopology,
  { node: from, local }: Pick<Way, "node" | "local">,
  to: ResolvedNode,
  destination: string,
): Way["routers"] | undefined {
  const passed: PassedRouter[] = [];
  let at = { node: from, segment: "" };
  while (at.node.name !== to.name) {
    const { node: here } = at;
    const hop = nextHop(topology, here, destination, local);
    const isCircle = passed.some(({ router }) => router.name === here.name);
    if (hop?.to === undefined || isCircle || (here.role !== "router" && here.name !== from.name)) return undefined;
    if (here.role === "router") passed.push({ router: here, from: at.segment, to: hop.out.segment });
    at = { node: hop.to.node, segment: hop.to.in.segment };
  }
  return passed;
}

/** Whether a way leaves every NAT and firewall on it from inside to outside. */
function leadsOutward(way: Way): boolean {
  return middleboxesOf(way).every(({ router, from, to }) => {
    const outside = outsideInterfaces(router).map(({ segment }) => segment);
    return outside.includes(to) && !outside.includes(from);
  });
}

/** The routers of a way that translate or filter. */
function middleboxesOf({ routers, ipVersion }: Way): Way["routers"] {
  return routers.filter(({ router }) => actsOn(router, ipVersion));
}

/**
 * Ways on which this LAN's router is the first that translates or filters, shortest first, from hosts on one segment.
 */
function chooseWays(ways: readonly Way[], { router, segment, ipVersion }: LanSide): readonly Way[] {
  const fitting = ways
    .filter((way) => way.ipVersion === ipVersion && roundTripOf(way).lossRate <= MAX_LOSS_RATE)
    .filter((way) => {
      const [inmost] = middleboxesOf(way);
      return inmost?.router.name === router.name && inmost.from === segment;
    })
    .toSorted((a, b) => a.routers.length - b.routers.length);
  const [best] = fitting;
  return fitting.filter(({ on }) => on.segment === best?.on.segment).slice(0, RIVALS);
}

/**
 * The second host begins with the server's other port, which the first host's mapping has not used. Plain masquerading
 * lets two hosts share an outside port while their peers differ, and remaps one of them on a collision: only this order
 * detects that. Where a firewall blocks that port, both begin alike.
 */
function asRivals(ways: readonly Way[]): readonly Way[] {
  return ways.map((way, i) => {
    const { first, second } = way.server;
    const isOpen = way.routers.every(({ router }) => router.firewall.outboundUdp === "all");
    if (i === 0 || !isOpen) return way;
    const swapped = { first: { ...first, port: second.port }, second: { ...second, port: first.port } };
    return { ...way, server: { ...way.server, ...swapped } };
  });
}

/** Why a LAN is not probed; undefined if it is, which spends ports. */
function whyNotProbed(
  topology: ResolvedTopology,
  lan: LanSide,
  { own, all, budget }: { readonly own: readonly Way[]; readonly all: readonly Way[]; readonly budget: PortBudget },
): Unprobed | undefined {
  const [way] = own;
  if (way === undefined) return explain(topology, lan, all);
  const nats = way.ipVersion === 4 ? middleboxesOf(way).map(({ router }) => router) : [];
  const shortage = budget(
    nats,
    own.map(({ node }) => node.name),
  );
  return shortage === undefined ? undefined : { router: lan.router.name, lan: lan.segment, reason: shortage };
}

function explain({ nodes }: ResolvedTopology, lan: LanSide, ways: readonly Way[]): Unprobed {
  const { router, segment, ipVersion } = lan;
  const because = (reason: string): Unprobed => ({ router: router.name, lan: segment, reason });
  const own = ways.filter((way) => way.ipVersion === ipVersion);
  if (own.some((way) => way.on.segment === segment && roundTripOf(way).lossRate > MAX_LOSS_RATE))
    return because("the links to its STUN server lose too many packets for silence to mean anything");
  const behind = own
    .filter((way) =>
      middleboxesOf(way).some((middlebox) => middlebox.router.name === router.name && middlebox.from === segment),
    )
    .map((way) => middleboxesOf(way)[0]?.router.name);
  const together =
    behind.length === 0 ? "" : `; seen together with what lies inside of it: ${unique(behind).join(", ")}`;
  const isEmpty = !nodes.some(
    ({ role, interfaces }) => role !== "router" && interfaces.some((each) => each.segment === segment),
  );
  if (isEmpty) return because(`no node on ${segment}${together}`);
  return because(
    `no node on ${segment} has a way through ${router.name} to a STUN server with two addresses${together}`,
  );
}

/** How many nodes send through a router over IPv4. */
function nodesThrough(ways: readonly Way[], router: string): number {
  const passing = ways.filter(
    ({ ipVersion, routers }) => ipVersion === 4 && routers.some((each) => each.router.name === router),
  );
  return new Set(passing.map(({ node }) => node.name)).size;
}

/** Reports what holds for both IP versions once. */
function withoutRepetitions(lans: readonly Unprobed[]): readonly Unprobed[] {
  return lans.filter(
    ({ router, lan, reason }, i) =>
      lans.findIndex((each) => each.router === router && each.lan === lan && each.reason === reason) === i,
  );
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

function planProbe(
  topology: ResolvedTopology,
  { router, segment, ipVersion }: LanSide,
  { way, rivals, firstPort }: { readonly way: Way; readonly rivals: readonly Way[]; readonly firstPort: number },
): VerificationProbe {
  const { node, server } = way;
  const middleboxes = middleboxesOf(way).map((middlebox) => middlebox.router);
  const outmost = ipVersion === 4 ? middleboxes.findLast(({ nat }) => nat !== undefined)?.nat : undefined;
  const rival = outmost && rivals.find((other) => other.node.name !== node.name)?.node.name;
  const memories = middleboxes.filter((middlebox) => remembers(middlebox, ipVersion));
  const lifetimesSec = memories.map(({ firewall }) => firewall.udpIdleSec);
  const refreshes = unique(memories.map(({ nat }) => ipVersion === 6 || nat === undefined || nat.inboundRefresh));
  const sharesPorts = ipVersion === 4 && middleboxes.some(({ nat }) => nat?.portAssignment === "overload");
  const before = sharesPorts ? rivals.slice(0, rivals.indexOf(way)) : [];
  const endsOf = (each: Way): ProbeEnds => ({
    node: each.node,
    sockets: portsOf(firstPort, 0).map((port) => ({ ip: each.local, port })),
    server: each.server,
  });
  const expected = expectedObservation(topology, endsOf(way), before.map(endsOf));
  return {
    router: router.name,
    lan: segment,
    node: node.name,
    ipVersion,
    local: way.local,
    firstPort,
    server: { ...server, node: server.node.name },
    through: middleboxes.map(({ name }) => name),
    needs: [node.name, server.node.name, ...way.routers.map((passed) => passed.router.name)],
    expected: withParity(expected, keepsParity(middleboxes, ipVersion)),
    ...(outmost !== undefined && alwaysDraws(outmost) ? drawnBy(middleboxes, way) : {}),
    ...(sharesPorts ? { sharesPorts } : {}),
    ...(lifetimesSec.length === 0 ? {} : { lifetimeSec: Math.min(...lifetimesSec) }),
    ...(refreshes.length === 1 ? { inboundRefresh: refreshes[0] === true } : {}),
    ...(rival === undefined ? {} : { rival }),
    roundTrip: roundTripOf(way),
    seed: derivedHex(topology.seed, `probe/${node.name}/${ipVersion}`, 32),
  };
}

/** The ports of the outermost NAT, or the block in them of the host that it knows the probe by. */
function drawnBy(middleboxes: readonly ResolvedRouter[], { local }: Way): Pick<VerificationProbe, "drawnFrom"> {
  const outmost = middleboxes.findLast(({ nat }) => nat !== undefined);
  const inner = middleboxes.slice(0, outmost && middleboxes.indexOf(outmost)).findLast(({ nat }) => nat !== undefined);
  const host = inner === undefined ? local : outsideIpv4(inner);
  const drawnFrom = outmost && (blockOf(outmost, host ?? local) ?? outmost.nat?.ports);
  return drawnFrom === undefined ? {} : { drawnFrom };
}

/** Replaces the model's parity: unless all NATs preserve it, the parity of a drawn port is chance. */
function withParity(expected: NatObservation, parityPreservation: boolean): NatObservation {
  return expected.type === "nat" ? { ...expected, parityPreservation } : expected;
}

function keepsParity(middleboxes: readonly ResolvedRouter[], ipVersion: IpVersion): boolean {
  const nats = ipVersion === 4 ? middleboxes.flatMap(({ nat }) => nat ?? []) : [];
  return nats.length > 0 && nats.every(({ parity }) => parity === "preserve");
}

function roundTripOf({ node, routers, server }: Way): RoundTripImpairment {
  return roundTripImpairment([node, ...routers.map(({ router }) => router), server.node]);
}

/** Sockets of one probe. */
const SOCKETS = 5;

/** Ports of one attempt; each attempt of a probe takes the next ports, because it needs some that no NAT has mapped. */
export function portsOf(firstPort: number, attempt: number): readonly number[] {
  return Array.from({ length: SOCKETS }, (_, i) => firstPort + SOCKETS * attempt + i);
}
