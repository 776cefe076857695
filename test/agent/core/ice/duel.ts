/** Two agents in the simulated NAT network, with an offer at the start and an answer after it. */

import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { IceRole } from "../../../../agent/src/core/events.ts";
import {
  hostCandidate,
  type LocalCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
  withoutRedundant,
} from "../../../../agent/src/core/ice/candidate.ts";
import { createIceAgent } from "../../../../agent/src/core/ice/ice-agent.ts";
import type { IceAgentConfig, IceEvent, IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import type { InstantMs } from "../../../../agent/src/core/machine.ts";
import type { NatDependence } from "../../../../agent/src/core/nat/nat-profile.ts";
import { stunDatagram } from "../stun/received.ts";
import { CREDENTIALS_L, CREDENTIALS_R, seededRng } from "./hand-made-peer.ts";
import { Nat, NatWorld, type Tap, type WorldNode } from "./nat-world.ts";

/** Mapping and filtering of a NAT; undefined for a public address. */
export type Middlebox = { readonly mapping: NatDependence; readonly filtering: NatDependence } | undefined;

export const OPEN: Middlebox = undefined;
export const FULL_CONE: Middlebox = { mapping: "endpoint-independent", filtering: "endpoint-independent" };
export const PORT_RESTRICTED: Middlebox = { mapping: "endpoint-independent", filtering: "address-and-port-dependent" };
export const SYMMETRIC: Middlebox = { mapping: "address-and-port-dependent", filtering: "address-and-port-dependent" };

export interface DuelOptions {
  readonly natL: Middlebox;
  readonly natR: Middlebox;
  readonly roleL?: IceRole;
  readonly roleR?: IceRole;
  readonly seed?: number;
  readonly startAt?: InstantMs;
  /** One-way delay; the relayed path takes four times as long. */
  readonly delayMs?: number;
  readonly tap?: Tap;
  /** The mapped address that a rogue STUN server reports to L. */
  readonly mappedL?: SocketAddress;
  readonly config?: Partial<IceAgentConfig>;
}

/** One agent, with everything it reported. */
export interface End {
  readonly agent: IceMachine;
  readonly node: WorldNode;
  readonly candidates: readonly LocalCandidate[];
  readonly log: { readonly at: InstantMs; readonly event: IceEvent }[];
}

export interface Duel {
  readonly world: NatWorld;
  readonly l: End;
  readonly r: End;
}

/** Both nodes have the same private address, as two home networks often do. */
export const PRIVATE_SOCKET = { ip: "192.168.1.2", port: 40001 };
const STUN_SERVER = { ip: "192.0.2.1", port: 3478 };

/** Makes the offer at `startAt`; R has it one relayed delay later, L the answer two. Time is at `startAt`. */
export function duel(options: DuelOptions): Duel {
  const { startAt = 0, delayMs = 1, seed = 1, config = {} } = options;
  const nodeL = node("L", options.natL, "198.51.100.10", 61001, "2001:db8:a::100");
  const nodeR = node("R", options.natR, "203.0.113.20", 62001, "2001:db8:b::200");
  const world = new NatWorld([nodeL, nodeR], { direct: delayMs, relayed: 4 * delayMs }, startAt);
  if (options.tap !== undefined) world.tap = options.tap;
  const common = { profile: "ice16", startedAt: startAt, ...config } as const;
  const l = end(world, nodeL, options.mappedL, {
    ...common,
    role: options.roleL ?? "controlling",
    credentials: CREDENTIALS_L,
    rng: seededRng(seed),
  });
  const r = end(world, nodeR, undefined, {
    ...common,
    role: options.roleR ?? "controlled",
    credentials: CREDENTIALS_R,
    rng: seededRng(seed + 1000),
  });
  world.at(startAt + 4 * delayMs, () => r.agent.setRemote(world.now, describe(l, CREDENTIALS_L)));
  world.at(startAt + 8 * delayMs, () => l.agent.setRemote(world.now, describe(r, CREDENTIALS_R)));
  return { world, l, r };
}

/** When an agent first reported an event of this type. */
export function firstAt({ log }: End, type: IceEvent["type"]): InstantMs | undefined {
  return log.find(({ event }) => event.type === type)?.at;
}

/** `local type/remote type` of the selected pair. */
export function selectedTypes({ agent }: End): string {
  const pair = agent.selectedPair();
  return pair === undefined ? agent.state : `${pair.local.type}/${pair.remote.type}`;
}

function describe({ candidates }: End, credentials: typeof CREDENTIALS_L) {
  return { credentials, candidates, isLite: false, options: [] };
}

function node(name: string, middlebox: Middlebox, externalIp: string, firstPort: number, homeIp: string): WorldNode {
  const socket: SocketAddress = middlebox === undefined ? { ip: externalIp, port: 40001 } : PRIVATE_SOCKET;
  const home = { ip: homeIp, port: 40001 };
  const nat = middlebox && new Nat({ ...middlebox, externalIp, firstPort });
  return { name, socket, home, machine: undefined, ...(nat === undefined ? {} : { nat }) };
}

function end(
  world: NatWorld,
  node: WorldNode,
  rogueMapped: SocketAddress | undefined,
  config: Omit<IceAgentConfig, "candidates">,
): End {
  const { socket, home = socket, nat } = node;
  const mapped = rogueMapped ?? nat?.outbound(socket, STUN_SERVER) ?? socket;
  const candidates = withoutRedundant([
    hostCandidate(socket),
    serverReflexiveCandidate(mapped, socket),
    relayedCandidate(home, mapped),
  ]);
  const agent = createIceAgent({ ...config, candidates });
  const log: End["log"] = [];
  const note = (): void => {
    for (let event = agent.pollEvent(); event !== undefined; event = agent.pollEvent())
      log.push({ at: world.now, event });
  };
  node.machine = {
    handleStun: (now, datagram) => agent.handleStun(now, stunDatagram(datagram)),
    handleTimeout: (now) => agent.handleTimeout(now),
    pollTimeout: () => agent.pollTimeout(),
    pollTransmit: () => {
      note();
      return agent.pollTransmit();
    },
  };
  return { agent, node, candidates, log };
}
