/** Resolves one node once names, addresses and routes are resolved. */

import type { NatProfile } from "@testbed/agent/control";
import type { Report } from "../file/issue-list.ts";
import type {
  DnsServerEntry,
  HomeAgentEntry,
  MobileEntry,
  NodeEntry,
  RouterEntry,
  StationaryEntry,
  StunServerEntry,
} from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { formatNetwork, parseNetwork, withoutLength } from "../model/address-text.ts";
import type {
  PortForward,
  ResolvedDnsServer,
  ResolvedHomeAgent,
  ResolvedMobileNode,
  ResolvedNode,
  ResolvedRoute,
  ResolvedRouter,
  ResolvedStationaryNode,
  ResolvedStunServer,
} from "../model/resolved.ts";
import { FORWARD_PROTOCOLS } from "../model/words.ts";
import type { Interfaces } from "./addressing.ts";
import { resolveAgentOptions } from "./agent-options.ts";
import { attachmentsOf } from "./attachment.ts";
import { checkHomeAgentAddress, homeAgentAddress } from "./home-address.ts";
import { nameServersOf } from "./name-servers.ts";
import type { ReferencedFiles } from "./referenced-files.ts";
import { resolveForwards } from "./resolve-forwards.ts";
import { resolveHost } from "./resolve-host.ts";
import { resolveFirewall, resolveNat } from "./resolve-middlebox.ts";
import { checkPrefixLength, resolveNat64 } from "./resolve-nat64.ts";
import { resolvePortMapping } from "./resolve-port-mapping.ts";
import { resolvePrefixes } from "./resolve-prefixes.ts";
import { resolveTcpNat } from "./resolve-tcp.ts";

/** Default UDP port of the candidate sockets: the same on every node, as with identical software. */
const CANDIDATE_PORT = 40000;

export interface NodeContext {
  readonly topology: Topology;
  readonly seed: number;
  readonly interfaces: Interfaces;
  readonly routes: ReadonlyMap<string, readonly ResolvedRoute[]>;
  /** Of routers with several outside segments. */
  readonly uplinks: ReadonlyMap<string, readonly (readonly ResolvedRoute[])[]>;
  readonly homeAddresses: ReadonlyMap<string, string>;
  readonly referenced: ReferencedFiles;
  readonly report: Report;
}

export function resolveNode(context: NodeContext, name: string, entry: NodeEntry): ResolvedNode {
  switch (entry.role) {
    case "router":
      return resolveRouter(context, name, entry);
    case "home-agent":
      return resolveHomeAgent(context, name, entry);
    case "stun-server":
      return resolveStunServer(context, name, entry);
    case "dns":
      return resolveDns(context, name, entry);
    case "mobile-node":
    case "correspondent-node":
      return resolveMobile(context, name, entry);
    case "stationary-node":
      return resolveStationary(context, name, entry);
    case "host":
      return {
        ...common(context, name),
        ...resolveHost(context, name, entry),
        nameServers: nameServersOf(context, name),
      };
  }
}

function common({ interfaces, routes }: NodeContext, name: string) {
  return { name, interfaces: interfaces.get(name) ?? [], routes: routes.get(name) ?? [] };
}

function resolveRouter(context: NodeContext, name: string, entry: RouterEntry): ResolvedRouter {
  const { seed, interfaces, uplinks, report } = context;
  const middlebox = { name, entry, seed, interfaces, report };
  const nat = resolveNat(middlebox);
  const nat64 = resolveNat64(context.topology, name, entry);
  const node = common(context, name);
  const nameOn = (segment: string) => node.interfaces.find((own) => own.segment === segment)?.interfaceName ?? segment;
  const lans = attachmentsOf(name, entry).filter(({ side }) => side === "lan");
  if (nat !== undefined) checkTranslatable(context, node);
  else if ([entry.wan].flat().length > 1) {
    const message = `expected \`nat\` beside several outside segments, over which it spreads what goes out; found none; add it, or name one`;
    report("missing", ["nodes", name, "wan"], message);
  }
  const forwards = resolveForwards(
    middlebox,
    lans.flatMap(({ segment }) => context.topology.segments.get(segment)?.ipv4 ?? []),
  );
  if (nat !== undefined) checkFreePorts(name, nat, forwards, report);
  const firewall = resolveFirewall(middlebox, nat);
  return {
    ...node,
    role: "router",
    wan: [entry.wan].flat().map(nameOn),
    lan: lans.map(({ segment }) => nameOn(segment)),
    ...(nat === undefined ? {} : { nat, tcp: resolveTcpNat(middlebox, nat, firewall) }),
    ...(nat64 === undefined ? {} : { nat64 }),
    prefixes: resolvePrefixes(context, name, entry),
    forwards,
    // Found out once all nodes are resolved.
    insideHosts: [],
    uplinks: uplinks.get(name) ?? [],
    portMapping: resolvePortMapping({ name, entry, outside: node.interfaces[0], report }),
    firewall,
  };
}

/** Reports a NAT that has no port to draw, or none of one parity where it preserves that. */
function checkFreePorts(name: string, nat: NatProfile, forwards: readonly PortForward[], report: Report): void {
  for (const protocol of FORWARD_PROTOCOLS)
    checkFreePortsOf(
      name,
      nat,
      forwards.filter((forward) => forward.protocol === protocol),
      report,
    );
}

function checkFreePortsOf(
  name: string,
  { ports: { first, last }, parity }: NatProfile,
  forwards: readonly PortForward[],
  report: Report,
): void {
  const forwarded = new Set(forwards.map(({ port }) => port));
  // As many ports as there are forwards cannot all be forwarded.
  const some = Array.from({ length: Math.min(last - first + 1, 2 * forwarded.size + 2) }, (_, i) => first + i);
  const free = some.filter((port) => !forwarded.has(port));
  const isEnough = parity === "preserve" ? new Set(free.map((port) => port % 2)).size === 2 : free.length > 0;
  if (isEnough || first > last) return;
  const wanted = parity === "preserve" ? "an even port and an odd one" : "a port";
  const message = `expected ${wanted} of ${first}-${last} to be free for mappings; found all forwarded; widen \`ports\``;
  report("bad-value", ["nodes", name, "nat"], message);
}

/** Reports a NAT without IPv4 on every interface. */
function checkTranslatable({ report, topology }: NodeContext, { name, interfaces }: ReturnType<typeof common>): void {
  for (const { segment, ipv4 } of interfaces) {
    if (ipv4 !== undefined || topology.segments.get(segment)?.ipv4 !== undefined) continue;
    const message = `expected IPv4 on every segment of a middlebox with address translation; found none on ${segment}; give it \`ipv4\`, or write \`nat: none\``;
    report("bad-address", ["nodes", name, "nat"], message);
  }
}

function resolveHomeAgent(context: NodeContext, name: string, entry: HomeAgentEntry): ResolvedHomeAgent {
  const node = common(context, name);
  checkHomeAgentAddress(name, entry, context.report);
  return {
    ...node,
    role: "home-agent",
    homePrefix: formatNetwork(parseNetwork(entry.homePrefix)),
    address: homeAgentAddress(entry),
    ...serverAddresses(node),
  };
}

function resolveStunServer(context: NodeContext, name: string, entry: StunServerEntry): ResolvedStunServer {
  const node = common(context, name);
  const addresses = serverAddresses(node);
  if (context.topology.segments.has(entry.on) && addresses.alternate.length < addresses.listen.length) {
    const message = `expected room for two addresses of ${name} in each network of ${entry.on}; found ${addresses.alternate.length === 0 ? "none" : "one"}; take a shorter prefix`;
    context.report("bad-address", ["nodes", name, "on"], message);
  }
  return { ...node, role: "stun-server", ...addresses };
}

function resolveDns(context: NodeContext, name: string, { dns64 }: DnsServerEntry): ResolvedDnsServer {
  const node = common(context, name);
  if (dns64 !== undefined) checkPrefixLength(dns64, ["nodes", name, "dns64"], context.report);
  return { ...node, role: "dns", listen: serverAddresses(node).listen, ...(dns64 === undefined ? {} : { dns64 }) };
}

/** A server's first and second addresses. */
function serverAddresses({ interfaces }: ReturnType<typeof common>): {
  readonly listen: readonly string[];
  readonly alternate: readonly string[];
} {
  const texts = (addresses: readonly { readonly ipv4?: string; readonly ipv6?: string }[]): readonly string[] =>
    addresses
      .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
      .filter((address) => address !== undefined)
      .map(withoutLength);
  return { listen: texts(interfaces), alternate: texts(interfaces.flatMap(({ alternate }) => alternate ?? [])) };
}

function resolveMobile(context: NodeContext, name: string, entry: MobileEntry): ResolvedMobileNode {
  return {
    ...common(context, name),
    role: entry.role,
    homeAgent: entry.homeAgent,
    homeAddress: context.homeAddresses.get(name) ?? "::",
    port: entry.port ?? CANDIDATE_PORT,
    agent: resolveAgentOptions(entry),
  };
}

function resolveStationary(context: NodeContext, name: string, entry: StationaryEntry): ResolvedStationaryNode {
  const node = common(context, name);
  const ipv6 = node.interfaces[0]?.ipv6;
  const segment = context.topology.segments.get(entry.on);
  if (segment !== undefined && segment.ipv6 === undefined) {
    const message = `expected IPv6 on ${entry.on}, by which home agents reach ${name}; found none; give the segment \`ipv6\``;
    context.report("bad-address", ["nodes", name, "on"], message);
  }
  return {
    ...node,
    role: "stationary-node",
    speaks: entry.speaks ?? "m-ice",
    address: ipv6 === undefined ? "::" : withoutLength(ipv6),
    ...(entry.stun === undefined ? {} : { stun: entry.stun }),
    port: entry.port ?? CANDIDATE_PORT,
    agent: resolveAgentOptions(entry),
  };
}
