/** Creates the protocol machine of a role from the node's set-up. */

import type {
  HomeAgentRole,
  MobileNodeRole,
  NodeSetup,
  StationaryNodeRole,
  StunServerRole,
} from "../../control/messages.ts";
import { familyOf, type SocketAddress } from "../../core/address.ts";
import type { LocalSocket } from "../../core/local-socket.ts";
import { assertNever, type InstantMs } from "../../core/machine.ts";
import { createMobileNode } from "../../core/mice/mobile-node.ts";
import { createHomeAgent } from "../../core/mip6/home-agent.ts";
import { createPlainCorrespondent } from "../../core/mip6/plain-correspondent.ts";
import type { MobileNodeMachine, NodeMachine } from "../../core/node/node-machine.ts";
import { createStunServer } from "../../core/node/stun-node.ts";
import { ALTERNATE_STUN_PORT, DSMIPV6_PORT, STUN_PORT } from "../../core/ports.ts";
import type { RefusedDatagram } from "../../core/refusal.ts";
import type { DiscoveryAddresses } from "../../core/stun/server.ts";
import { clockOriginMs } from "../process/clock.ts";
import { createSeededRng } from "../process/entropy.ts";
import { localSockets } from "./local-sockets.ts";

interface MobileVerbs {
  /** The sockets for these local addresses of a node with this set-up, to pass to `retarget`. */
  socketsAt(setup: NodeSetup, localAddresses: readonly string[]): readonly LocalSocket[];
  retarget(now: InstantMs, sockets: readonly LocalSocket[]): void;
  deregister(now: InstantMs): void;
}

/** A machine and its sockets. */
export interface MadeMachine {
  readonly machine: NodeMachine;
  readonly sockets: readonly SocketAddress[];
  /** Offers a session, if the machine can. */
  readonly connect?: (now: InstantMs, peer: string) => void;
  /** Handles ICMP errors about the machine's datagrams, if it uses them. */
  readonly handleRefusal?: (now: InstantMs, refused: RefusedDatagram) => void;
  /** Further commands of a mobile or correspondent node. */
  readonly mobile?: MobileVerbs;
}

/** The machine of a node's role; undefined for roles without a protocol. */
export function createMachine(setup: NodeSetup): MadeMachine | undefined {
  const { role } = setup;
  switch (role.type) {
    case "router":
    case "host":
    case "dns":
      return undefined;
    case "stun-server":
      return stunServer(role);
    case "home-agent":
      return homeAgent(role);
    case "mobile-node":
    case "correspondent-node":
      return mobileNode(setup, role);
    case "stationary-node":
      return stationaryNode(setup, role);
    default:
      return assertNever(role);
  }
}

function homeAgent(role: HomeAgentRole): MadeMachine {
  const { address, homePrefix, listen, registrationKeys } = role;
  const tunnelSockets = atPort(listen, DSMIPV6_PORT);
  const { stunSockets, discovery } = stunAddresses(role);
  const keys = Object.entries(registrationKeys).map(([home, key]) => [home, fromHex(key)] as const);
  const registered = { registrationKeys: new Map(keys) };
  const clock = { clockOriginMs: clockOriginMs() };
  const machine = createHomeAgent(
    {
      address,
      homePrefix,
      tunnelSockets,
      stunSockets,
      discovery,
      ...registered,
      ...clock,
    },
    createSeededRng(role.seed),
  );
  return { machine, sockets: [...tunnelSockets, ...stunSockets] };
}

function stunServer(role: StunServerRole): MadeMachine {
  const { stunSockets, discovery } = stunAddresses(role);
  return { machine: createStunServer({ discovery }), sockets: stunSockets };
}

/** The addresses of a STUN server, and which of its sockets are alternates of each other (RFC 5780). */
function stunAddresses({ listen, alternate = [] }: Pick<HomeAgentRole, "listen" | "alternate">): {
  readonly stunSockets: readonly SocketAddress[];
  readonly discovery: readonly DiscoveryAddresses[];
} {
  const discovery = alternate.flatMap((second): DiscoveryAddresses[] => {
    const first = listen.find((ip) => familyOf(ip) === familyOf(second));
    return first === undefined ? [] : [{ ips: [first, second], ports: [STUN_PORT, ALTERNATE_STUN_PORT] }];
  });
  const others = discovery.flatMap(({ ips: [first, second] }) => [
    { ip: first, port: ALTERNATE_STUN_PORT },
    ...[STUN_PORT, ALTERNATE_STUN_PORT].map((port) => ({ ip: second, port })),
  ]);
  return { stunSockets: [...atPort(listen, STUN_PORT), ...others], discovery };
}

function mobileNode(setup: NodeSetup, role: MobileNodeRole): MadeMachine {
  const {
    type,
    homeAddress,
    homeAgent,
    peers = [],
    localAddresses,
    port,
    registrationKey,
    tunMtu,
    seed,
    ...settings
  } = role;
  const { address, listen } = homeAgent;
  const sockets = localSockets(setup, localAddresses, port);
  const machine = createMobileNode(
    {
      homeAddress,
      homeAgent: { address, tunnel: atPort(listen, DSMIPV6_PORT) },
      stunServers: atPort(listen, STUN_PORT),
      peers,
      sockets,
      settings,
      clockOriginMs: clockOriginMs(),
      ...(registrationKey === undefined ? {} : { registrationKey: fromHex(registrationKey) }),
    },
    createSeededRng(seed),
  );
  const mobile: MobileVerbs = {
    socketsAt: (later, addresses) => localSockets(later, addresses, port),
    retarget: (now, taken) => machine.retarget(now, taken),
    deregister: (now) => machine.leave(now),
  };
  return { machine, sockets, ...sessionVerbs(machine), mobile };
}

function stationaryNode(setup: NodeSetup, role: StationaryNodeRole): MadeMachine {
  const { type, address, speaks, homePrefixes, stunServers, localAddresses, port, tunMtu, seed, ...settings } = role;
  const rng = createSeededRng(seed);
  if (speaks === "mobile-ipv6") return { machine: createPlainCorrespondent(address, rng), sockets: [] };
  const sockets = localSockets(setup, localAddresses, port);
  const config = { homeAddress: address, stunServers: atPort(stunServers, STUN_PORT), sockets, settings };
  const machine = createMobileNode(config, rng);
  return { machine, sockets, ...sessionVerbs(machine) };
}

function sessionVerbs(machine: MobileNodeMachine): Pick<MadeMachine, "connect" | "handleRefusal"> {
  return {
    connect: (now, peer) => machine.connect(now, peer),
    handleRefusal: (now, refused) => machine.handleRefusal(now, refused),
  };
}

function atPort(addresses: readonly string[], port: number): readonly SocketAddress[] {
  return addresses.map((ip) => ({ ip, port }));
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
