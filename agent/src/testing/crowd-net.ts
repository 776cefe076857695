/**
 * Many nodes of two home networks on one internet, each behind its own home router:
 *
 *      a1 ── [router] ──┐                          ┌── [router] ── b1
 *      a2 ── [router] ──┼─ internet ─ ha-a, ha-b ──┼── [router] ── b2
 *      …                │                          │            …
 */

import type { Impairment } from "../core/link/impairment.ts";
import { createMobileNode } from "../core/mice/mobile-node.ts";
import { DSMIPV6_PORT, STUN_PORT } from "../core/ports.ts";
import { runMachine } from "./machine-node.ts";
import { CANDIDATE_PORT, createHomeAgentNode, type End, HOME_ROUTER, SIDES } from "./mice-net.ts";
import { seededRng } from "./seeded-rng.ts";
import { SimHost } from "./sim-host.ts";
import { createSimNat } from "./sim-nat.ts";
import { SimNet } from "./sim-net.ts";

export interface CrowdSetup {
  /** Number of nodes of each home agent, at most 200. */
  readonly a: number;
  readonly b: number;
  /** Impairment between each router and the internet. */
  readonly access?: Impairment;
  readonly seed?: number;
}

export interface Crowd {
  readonly net: SimNet;
  readonly a: readonly End[];
  readonly b: readonly End[];
}

/** Builds the network and starts every node at time 0. */
export function createCrowd({ a, b, access = {}, seed = 1 }: CrowdSetup): Crowd {
  const net = new SimNet(seed);
  const homes = [SIDES.a, SIDES.b] as const;
  const [agentA, agentB] = homes.map((home) => createHomeAgentNode(net, home, undefined, undefined));
  agentA?.host.route(SIDES.b.homePrefix, SIDES.b.homeAgentIpv6);
  agentB?.host.route(SIDES.a.homePrefix, SIDES.a.homeAgentIpv6);
  const nodes = (letter: "a" | "b", count: number): readonly End[] =>
    Array.from({ length: count }, (_, i) => createNode(net, letter, i + 1, access, seed));
  return { net, a: nodes("a", a), b: nodes("b", b) };
}

function createNode(net: SimNet, letter: "a" | "b", number: number, access: Impairment, seed: number): End {
  const home = SIDES[letter];
  const name = `${letter}${number}`;
  const octet = letter === "a" ? 1 : 2;
  createSimNat(net, {
    name: `nat-${name}`,
    profile: { ...HOME_ROUTER, seed: number },
    wan: { segment: "internet", address: `198.18.${octet}.${number}/16`, impairment: access },
    lan: { segment: `lan-${name}`, address: "192.168.1.1/24" },
  });
  const host = new SimHost(net, name);
  host.attach(`lan-${name}`, ["192.168.1.2/24"]);
  host.route("0.0.0.0/0", "192.168.1.1");
  const homeAddress = `${home.homePrefix.replace("/64", "")}${(0x100 + number).toString(16)}`;
  const socket = { ip: "192.168.1.2", port: CANDIDATE_PORT };
  const machine = createMobileNode(
    {
      homeAddress,
      homeAgent: { address: home.homeAgentHome, tunnel: [{ ip: home.homeAgentIpv4, port: DSMIPV6_PORT }] },
      stunServers: [{ ip: home.homeAgentIpv4, port: STUN_PORT }],
      sockets: [socket],
    },
    seededRng(seed * 1000 + octet * 500 + number),
  );
  const received: Uint8Array[] = [];
  const node = runMachine(host, machine, { sockets: [socket], onTun: (packet) => void received.push(packet) });
  return { homeAddress, socket, node, received };
}
