/**
 * The standard network of a session test: a mobile and a correspondent node, each in its own home network, two home
 * agents, and the internet between them.
 *
 *      mn ── home ── [nat-a] ──┐            ┌── [nat-b] ── cafe ── cn
 *                              ├─ internet ─┤
 *                     ha-a ────┘            └──── ha-b
 */

import { type Family, familyOf, type SocketAddress } from "../core/address.ts";
import type { NodeEvent } from "../core/events.ts";
import type { Impairment } from "../core/link/impairment.ts";
import { addressOf, type LocalSocket } from "../core/local-socket.ts";
import { createMobileNode } from "../core/mice/mobile-node.ts";
import { createHomeAgent } from "../core/mip6/home-agent.ts";
import { CONE_NAT, type NatProfile } from "../core/nat/nat-profile.ts";
import type { AgentOptions } from "../core/node/agent-settings.ts";
import type { MobileNodeMachine, NodeMachine } from "../core/node/node-machine.ts";
import { DSMIPV6_PORT, STUN_PORT } from "../core/ports.ts";
import { type MachineNode, routeFromTun, runMachine, type TimedEvent } from "./machine-node.ts";
import { seededRng } from "./seeded-rng.ts";
import { SimHost } from "./sim-host.ts";
import { createSimNat, type SimNat } from "./sim-nat.ts";
import { SimNet } from "./sim-net.ts";

/** Another access network that a node is on at the same time. */
export interface FurtherAccess {
  /** The NAT at its edge; without one the segment has no router. */
  readonly nat?: Partial<NatProfile>;
  /** Impairment between the NAT and the internet. */
  readonly access?: Impairment;
  /** It comes before the others. */
  readonly isPreferred?: boolean;
}

/** One side of the network. */
export interface SideSetup extends AgentOptions {
  /** The NAT at the edge, IPv4 only; without one the node is directly on the internet. */
  readonly nat?: Partial<NatProfile>;
  /** The NAT sends an ICMP error for what its filter drops. */
  readonly rejects?: boolean;
  /** IP versions of a node on the internet, preferred ones first; IPv4 only by default. */
  readonly versions?: readonly Family[];
  /** Impairment between the NAT (or the node without one) and the internet. */
  readonly access?: Impairment;
  /** Segments `home-2`, `home-3`, … or `cafe-2`, …, IPv4 only. */
  readonly further?: readonly FurtherAccess[];
  /** Shared key of the node and its home agent; absent means unauthenticated registration. */
  readonly registrationKey?: Uint8Array;
  /** How many segments that lead nowhere the node is on as well; it does not know that they do. */
  readonly bridges?: number;
  /** Peers whose request for an offer begins a session. */
  readonly peers?: readonly string[];
}

export interface MiceNetSetup {
  readonly a?: SideSetup;
  readonly b?: SideSetup;
  /** Impairment between each home agent and the internet. */
  readonly homeAgents?: Impairment;
  readonly seed?: number;
}

/** One end of a session. */
export interface End {
  /** The address by which peers know it. */
  readonly homeAddress: string;
  /** Its preferred socket. */
  readonly socket: SocketAddress;
  readonly node: MachineNode<MobileNodeMachine>;
  /** Packets for its programs: those from the TUN device, and on a stationary node the others too. */
  readonly received: Uint8Array[];
}

/** A side of the running network: an end with a home agent. */
export interface Side extends End {
  readonly homeAgent: MachineNode<NodeMachine>;
  readonly nat: SimNat | undefined;
}

export interface MiceNet<Cn extends End = Side> {
  readonly net: SimNet;
  readonly mn: Side;
  readonly cn: Cn;
  /** Runs until both sides have reported such an event; false on timeout. */
  runUntilBoth(type: NodeEvent["type"], limitMs: number): boolean;
}

/** A typical home NAT: preserves ports, filters by address and port, does not hairpin. */
export const HOME_ROUTER: NatProfile = {
  ...CONE_NAT,
  filtering: "address-and-port-dependent",
  ports: { first: 40_000, last: 59_999 },
  seed: 1,
};

/** Port of the candidate sockets; deliberately the same on both sides. */
export const CANDIDATE_PORT = 40_001;

/** Builds the network and starts every node at time 0. */
export function createMiceNet(setup: MiceNetSetup = {}): MiceNet {
  const seed = setup.seed ?? 1;
  const net = new SimNet(seed);
  const mn = createSide(net, SIDES.a, setup.a ?? {}, setup.homeAgents, seed * 2 + 1);
  const cn = createSide(net, SIDES.b, setup.b ?? {}, setup.homeAgents, seed * 2 + 2);
  mn.homeAgent.host.route(SIDES.b.homePrefix, SIDES.b.homeAgentIpv6);
  cn.homeAgent.host.route(SIDES.a.homePrefix, SIDES.a.homeAgentIpv6);
  return { net, mn, cn, runUntilBoth: runUntilBoth(net, [mn, cn]) };
}

/** See `MiceNet.runUntilBoth`. */
export function runUntilBoth({ time }: SimNet, ends: readonly End[]): MiceNet["runUntilBoth"] {
  const has = ({ node }: End, type: NodeEvent["type"]): boolean => node.events.some(({ event }) => event.type === type);
  return (type, limitMs) => time.runWhile(() => !ends.every((end) => has(end, type)), time.now + limitMs);
}

/** The events of one type that an end reported. */
export function eventsOf<T extends NodeEvent["type"]>(
  end: End,
  type: T,
): readonly (TimedEvent & { readonly event: Extract<NodeEvent, { readonly type: T }> })[] {
  return end.node.events.filter(
    (timed): timed is TimedEvent & { readonly event: Extract<NodeEvent, { readonly type: T }> } =>
      timed.event.type === type,
  );
}

interface SideAddresses {
  readonly letter: "a" | "b";
  readonly homePrefix: string;
  readonly homeAddress: string;
  /** The home agent on the internet. */
  readonly homeAgentIpv4: string;
  readonly homeAgentIpv6: string;
  /** Its address in the home prefix. */
  readonly homeAgentHome: string;
  readonly wan: string;
  readonly wanIpv6: string;
}

export const SIDES: Readonly<Record<"a" | "b", SideAddresses>> = {
  a: {
    letter: "a",
    homePrefix: "2001:db8:a::/64",
    homeAddress: "2001:db8:a::100",
    homeAgentIpv4: "198.18.0.2",
    homeAgentIpv6: "2001:db8::2",
    homeAgentHome: "2001:db8:a::1",
    wan: "198.18.0.10",
    wanIpv6: "2001:db8::10",
  },
  b: {
    letter: "b",
    homePrefix: "2001:db8:b::/64",
    homeAddress: "2001:db8:b::200",
    homeAgentIpv4: "198.18.0.3",
    homeAgentIpv6: "2001:db8::3",
    homeAgentHome: "2001:db8:b::1",
    wan: "198.18.0.20",
    wanIpv6: "2001:db8::20",
  },
};

export function createSide(
  net: SimNet,
  addresses: SideAddresses,
  setup: SideSetup,
  homeAgentLink: Impairment | undefined,
  seed: number,
): Side {
  const {
    nat: _nat,
    rejects,
    versions,
    access,
    further = [],
    registrationKey,
    bridges,
    peers = [],
    ...settings
  } = setup;
  const homeAgent = createHomeAgentNode(net, addresses, homeAgentLink, registrationKey);
  const host = new SimHost(net, addresses.letter === "a" ? "mn" : "cn");
  const { nat, ips } = attachToInternet(net, host, addresses, setup);
  const sockets = further.reduce<readonly LocalSocket[]>(
    (others, each, i) => withSocket(others, each, attachFurther(net, host, addresses, each, i)),
    [...ips, ...attachBridges(host, addresses, bridges)].map((ip) => ({ ip, port: CANDIDATE_PORT })),
  );
  const [socket] = sockets;
  if (socket === undefined) throw new Error("a node has at least one IP version");
  const machine = createMobileNode(
    {
      homeAddress: addresses.homeAddress,
      homeAgent: {
        address: addresses.homeAgentHome,
        tunnel: homeAgentSockets(addresses, DSMIPV6_PORT),
      },
      stunServers: homeAgentSockets(addresses, STUN_PORT),
      peers,
      sockets,
      settings,
      ...(registrationKey && { registrationKey }),
    },
    seededRng(seed),
  );
  const received: Uint8Array[] = [];
  const onTun = (packet: Uint8Array): void => void received.push(packet);
  const node = runMachine(host, machine, { sockets, onTun });
  host.onRefusal = (refused) => node.tell((m, now) => m.handleRefusal(now, refused));
  return { homeAddress: addresses.homeAddress, socket: addressOf(socket), node, homeAgent, nat, received };
}

function attachBridges(host: SimHost, { letter }: SideAddresses, count = 0): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const ip = `10.${letter === "a" ? 100 : 200}.${i}.2`;
    host.attach(`bridge-${letter}-${i}`, [`${ip}/24`]);
    return ip;
  });
}

export function createHomeAgentNode(
  net: SimNet,
  addresses: SideAddresses,
  link: Impairment | undefined,
  registrationKey: Uint8Array | undefined,
): MachineNode<NodeMachine> {
  const { letter, homePrefix, homeAddress, homeAgentIpv4, homeAgentIpv6, homeAgentHome } = addresses;
  const host = new SimHost(net, `ha-${letter}`);
  host.attach("internet", [`${homeAgentIpv4}/16`, `${homeAgentIpv6}/64`], link);
  host.routeToTun(homePrefix);
  const tunnelSockets = homeAgentSockets(addresses, DSMIPV6_PORT);
  const stunSockets = homeAgentSockets(addresses, STUN_PORT);
  const machine = createHomeAgent(
    {
      address: homeAgentHome,
      homePrefix,
      tunnelSockets,
      stunSockets,
      registrationKeys: new Map(registrationKey && [[homeAddress, registrationKey]]),
    },
    seededRng(1),
  );
  return runMachine(host, machine, { sockets: [...tunnelSockets, ...stunSockets], onTun: routeFromTun(host) });
}

/** A port of a home agent on both of its addresses. */
function homeAgentSockets({ homeAgentIpv4, homeAgentIpv6 }: SideAddresses, port: number): SocketAddress[] {
  return [homeAgentIpv4, homeAgentIpv6].map((ip) => ({ ip, port }));
}

/** Attaches the node to an access network with the number `i`, and returns its socket there. */
function attachFurther(
  net: SimNet,
  host: SimHost,
  { letter }: SideAddresses,
  { nat, access }: FurtherAccess,
  i: number,
): LocalSocket {
  const segment = `${lanOf(letter)}-${i + 2}`;
  const network = `10.${letter === "a" ? 1 : 2}.${i}`;
  host.attach(segment, [`${network}.2/24`]);
  const socket = { ip: `${network}.2`, port: CANDIDATE_PORT };
  if (nat === undefined) return { ...socket, prefixLength: 24, hasRouter: false };
  createSimNat(net, {
    name: `nat-${letter}-${i + 2}`,
    profile: { ...HOME_ROUTER, ...nat },
    wan: {
      segment: "internet",
      address: `198.18.0.${(letter === "a" ? 11 : 21) + i}/24`,
      ...(access && { impairment: access }),
    },
    lan: { segment, address: `${network}.1/24` },
  });
  host.route("0.0.0.0/0", `${network}.1`);
  return socket;
}

function withSocket(
  others: readonly LocalSocket[],
  { isPreferred = false }: FurtherAccess,
  socket: LocalSocket,
): readonly LocalSocket[] {
  return isPreferred ? [socket, ...others] : [...others, socket];
}

function lanOf(letter: SideAddresses["letter"]): string {
  return letter === "a" ? "home" : "cafe";
}

/** Attaches the node to the internet, or to a home network 192.168.1.0/24 behind its NAT. */
function attachToInternet(
  net: SimNet,
  host: SimHost,
  { letter, wan, wanIpv6 }: SideAddresses,
  { nat, rejects = false, access, versions = [4] }: SideSetup,
): { readonly nat: SimNat | undefined; readonly ips: readonly string[] } {
  if (nat === undefined) {
    const ips = versions.map((version) => (version === 4 ? wan : wanIpv6));
    host.attach(
      "internet",
      ips.map((ip) => (familyOf(ip) === 4 ? `${ip}/24` : `${ip}/64`)),
      access,
    );
    if (versions.includes(6)) for (const side of [SIDES.a, SIDES.b]) host.route(side.homePrefix, side.homeAgentIpv6);
    return { nat: undefined, ips };
  }
  const lan = lanOf(letter);
  const simNat = createSimNat(net, {
    name: `nat-${letter}`,
    profile: { ...HOME_ROUTER, ...nat },
    rejects,
    wan: { segment: "internet", address: `${wan}/24`, ...(access && { impairment: access }) },
    lan: { segment: lan, address: "192.168.1.1/24" },
  });
  host.attach(lan, ["192.168.1.2/24"]);
  host.route("0.0.0.0/0", "192.168.1.1");
  return { nat: simNat, ips: ["192.168.1.2"] };
}
