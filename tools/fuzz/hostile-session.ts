/**
 * A session of two whole nodes with their home agents, in one network with a rogue node and strangers.
 *
 *     mn (ha-a) ───── direct ───── cn (ha-b)          rogue (ha-a, with a key of its own), strangers
 *
 * The rogue is a real node, so that what it sends belongs to a conversation: registrations, offers, checks, updates. On
 * the way some of it is lost, doubled, or changed and signed again. It reads what comes to it and nothing else, and
 * sends from any source, except that it does not forge the outer addresses of home agents and of registered nodes
 * towards home agents: the profile trusts those (SPEC 10).
 */

import { formatSocketAddress, type SocketAddress } from "../../agent/src/core/address.ts";
import type { Transmit } from "../../agent/src/core/machine.ts";
import { createMobileNode } from "../../agent/src/core/mice/mobile-node.ts";
import { createHomeAgent } from "../../agent/src/core/mip6/home-agent.ts";
import { decodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { type MobileNodeMachine } from "../../agent/src/core/node/node-machine.ts";
import { DSMIPV6_PORT, STUN_PORT } from "../../agent/src/core/ports.ts";
import { type SeededRng, seededRng } from "../../agent/src/testing/index.ts";
import { mutate } from "./mutate.ts";
import { NodeWatch } from "./node-watch.ts";
import { keysIn } from "./recorded-run.ts";
import { repairPayload } from "./repair.ts";
import { type NetNode, type NodeOutput, SessionNet } from "./session-net.ts";

const PORT = 40_001;
const MN = { home: "2001:db8:a::100", socket: { ip: "198.18.0.10", port: PORT } } as const;
const CN = { home: "2001:db8:b::200", socket: { ip: "198.18.0.20", port: PORT } } as const;
const ROGUE = { home: "2001:db8:a::666", socket: { ip: "198.18.0.66", port: PORT } } as const;
const STRANGERS: readonly SocketAddress[] = [
  { ip: "198.18.0.66", port: 7000 },
  { ip: "198.18.0.67", port: 3478 },
  { ip: "198.18.0.99", port: 9 },
  { ip: "2001:db8::99", port: 4191 },
];
const HOME_AGENTS = {
  a: { prefix: "2001:db8:a:", address: "2001:db8:a::1", ips: ["198.18.0.2", "2001:db8::2"] },
  b: { prefix: "2001:db8:b:", address: "2001:db8:b::1", ips: ["198.18.0.3", "2001:db8::3"] },
} as const;

/** The key of a node with its home agent. */
const keyOf = (home: string): Uint8Array => new TextEncoder().encode(`key of ${home}`);

/** Packets of the rogue's conversations that it may send again. */
const KEPT_PACKETS = 128;
const KEPT_KEYS = 8;
/** Data of the session, each way. */
const DATA_EVERY_MS = 200;
const DATA_ARRIVES_WITHIN_MS = 50;
const SET_UP_WITHIN_MS = 10_000;

interface Kept {
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
}

/** One end of the session. */
interface SessionEnd extends NetNode {
  readonly machine: MobileNodeMachine;
  readonly home: string;
  readonly peer: string;
  isDirect: boolean;
  /** Numbers of data packets that have not arrived. */
  readonly missing: Set<number>;
}

export class HostileSession {
  readonly #net = new SessionNet();
  readonly #rng: SeededRng;
  readonly #met: string[] = [];
  readonly #kept: Kept[] = [];
  readonly #keys: Uint8Array[] = [];
  readonly #ends: readonly [SessionEnd, SessionEnd];
  readonly #rogue: NetNode & { readonly machine: MobileNodeMachine };
  readonly #targets: readonly SocketAddress[];
  readonly #counters = new Map<string, Readonly<Record<string, number>>>();
  #dataNumber = 0;
  #dataSentAt = 0;

  /** Runs until the session has its direct path. Throws when it gets none. */
  constructor(seed: number) {
    this.#rng = seededRng(seed);
    const homeAgents = [this.#homeAgent("a", [MN.home, ROGUE.home]), this.#homeAgent("b", [CN.home])];
    this.#ends = [this.#end("mn", MN, CN.home, "a"), this.#end("cn", CN, MN.home, "b")];
    this.#rogue = {
      name: "rogue",
      machine: this.#node(ROGUE, "a"),
      sockets: [ROGUE.socket],
      onTun: () => undefined,
      onDatagram: ({ remote, payload }) => this.#keep({ destination: remote, payload }),
      onTransmit: (transmit) => this.#conspire(transmit),
    };
    for (const node of [...homeAgents, ...this.#ends]) this.#net.add(node);
    const [mn] = this.#ends;
    this.#net.tell(mn, "owner", () => mn.machine.connect(this.#net.now, CN.home));
    this.#net.runFor(SET_UP_WITHIN_MS);
    if (!this.#ends.every(({ isDirect }) => isDirect))
      throw new Error("the session got no direct path before any attack");
    this.#net.add(this.#rogue);
    this.#targets = [...homeAgents, ...this.#ends].flatMap(({ sockets }) => sockets);
  }

  /** A key that the rogue has learnt: its own password, or that of a peer. */
  key(rng: SeededRng): Uint8Array {
    return pick(this.#keys, rng) ?? new Uint8Array(1);
  }

  /** One step, mostly with this input; returns what it triggered. Throws when an invariant does not hold. */
  step(input: Uint8Array, rng: SeededRng): readonly string[] {
    this.#met.length = 0;
    switch (rng.integer(0, 15)) {
      case 0:
        this.#ownerOfRogue(rng);
        break;
      case 1:
      case 2:
        this.#sendKept(rng, (payload) => payload);
        break;
      case 3:
      case 4:
      case 5:
        this.#sendKept(rng, (payload) => repairPayload(mutate(payload, input, rng), this.key(rng)));
        break;
      case 6:
      case 7:
        this.#net.runFor(rng.integer(0, 100));
        break;
      default:
        this.#inject(pick(this.#targets, rng) ?? MN.socket, input, rng);
    }
    this.#net.runFor(1);
    this.#checkData();
    return this.#met;
  }

  #ownerOfRogue(rng: SeededRng): void {
    const { machine } = this.#rogue;
    const peer = pick([MN.home, CN.home], rng) ?? MN.home;
    this.#net.tell(this.#rogue, "owner", () => {
      const { now } = this.#net;
      switch (rng.integer(0, 7)) {
        case 0:
          machine.leave(now);
          break;
        case 1:
          machine.retarget(now, [ROGUE.socket]);
          break;
        case 2:
        case 3:
          machine.connect(now, peer);
          break;
        default:
          machine.handleTunPacket(now, dataPacket(ROGUE.home, peer, 0));
      }
    });
  }

  #sendKept(rng: SeededRng, change: (payload: Uint8Array) => Uint8Array): void {
    const kept = pick(this.#kept, rng);
    if (kept === undefined) return;
    const isElsewhere = rng.integer(0, 3) === 0;
    const destination = (isElsewhere ? pick(this.#targets, rng) : undefined) ?? kept.destination;
    this.#inject(destination, change(kept.payload), rng);
  }

  /** Half of it comes from the rogue's socket. An end may also seem to hear its peer. */
  #inject(destination: SocketAddress, payload: Uint8Array, rng: SeededRng): void {
    const peer = this.#ends.find(({ sockets }) => !sockets.includes(destination));
    const isToEnd = this.#ends.some(({ sockets }) => sockets.includes(destination));
    const others = [...STRANGERS, ...(isToEnd && peer !== undefined ? peer.sockets : [])];
    const source = (rng.integer(0, 1) === 0 ? pick(others, rng) : undefined) ?? ROGUE.socket;
    this.#net.send({ local: source, remote: destination, payload });
  }

  /** What the rogue's machine sends: some of it is lost, changed or doubled. */
  #conspire({ local, remote, payload }: Transmit): void {
    this.#keep({ destination: remote, payload });
    const rng = this.#rng;
    const dice = rng.integer(0, 9);
    if (dice === 0) return;
    const changed = dice === 1 ? repairPayload(mutate(payload, payload, rng), this.key(rng)) : payload;
    this.#net.send({ local, remote, payload: changed });
    if (dice === 2) this.#net.send({ local, remote, payload });
  }

  #keep(packet: Kept): void {
    const key = keysIn(packet.payload).find((found) => !this.#keys.some((known) => isSame(known, found)));
    if (key !== undefined) remember(this.#keys, key, KEPT_KEYS, this.#rng);
    remember(this.#kept, packet, KEPT_PACKETS, this.#rng);
  }

  /** Data of the session that was sent has arrived, and goes directly. */
  #checkData(): void {
    const { now } = this.#net;
    if (now - this.#dataSentAt < DATA_EVERY_MS) return;
    for (const { name, missing, isDirect } of this.#ends) {
      if (missing.size > 0) throw new Error(`data to ${name} is lost: the session of others is broken`);
      if (!isDirect) throw new Error(`${name} no longer sends directly: the session of others is broken`);
    }
    const number = (this.#dataNumber += 1);
    for (const end of this.#ends) {
      this.#ends.find(({ home }) => home === end.peer)?.missing.add(number);
      this.#net.tell(end, "owner", () => end.machine.handleTunPacket(now, dataPacket(end.home, end.peer, number)));
    }
    this.#dataSentAt = now;
    this.#net.runFor(DATA_ARRIVES_WITHIN_MS);
  }

  #homeAgent(letter: "a" | "b", homes: readonly string[]): NetNode {
    const { prefix, address, ips } = HOME_AGENTS[letter];
    const tunnelSockets = ips.map((ip) => ({ ip, port: DSMIPV6_PORT }));
    const stunSockets = ips.map((ip) => ({ ip, port: STUN_PORT }));
    const machine = createHomeAgent(
      {
        address,
        homePrefix: `${prefix}:/64`,
        tunnelSockets,
        stunSockets,
        registrationKeys: new Map(homes.map((home) => [home, keyOf(home)])),
      },
      seededRng(1),
    );
    const watched = this.#watched(`ha-${letter}`, machine, []);
    return { ...watched, sockets: [...tunnelSockets, ...stunSockets], homePrefix: prefix };
  }

  #end(name: string, { home, socket }: typeof MN | typeof CN, peer: string, letter: "a" | "b"): SessionEnd {
    const machine = this.#node({ home, socket }, letter);
    const watched = this.#watched(name, machine, homeSockets(letter));
    const end: SessionEnd = {
      ...watched,
      machine,
      sockets: [socket],
      home,
      peer,
      isDirect: false,
      missing: new Set(),
      onTun: (packet) => void end.missing.delete(dataNumber(packet, peer)),
      onOutput: (output) => {
        watched.onOutput(output);
        for (const event of output.events)
          if (event.type === "path" && event.peer === peer) end.isDirect = event.path === "direct";
      },
    };
    return end;
  }

  #node(
    { home, socket }: { readonly home: string; readonly socket: SocketAddress },
    letter: "a" | "b",
  ): MobileNodeMachine {
    const { address, ips } = HOME_AGENTS[letter];
    return createMobileNode(
      {
        homeAddress: home,
        homeAgent: { address, tunnel: ips.map((ip) => ({ ip, port: DSMIPV6_PORT })) },
        stunServers: ips.map((ip) => ({ ip, port: STUN_PORT })),
        sockets: [socket],
        registrationKey: keyOf(home),
      },
      seededRng(this.#rng.integer(0, 0x7fff_ffff)),
    );
  }

  #watched(name: string, machine: NetNode["machine"], configured: readonly SocketAddress[]) {
    const watch = new NodeWatch(name, configured);
    return {
      name,
      machine,
      onDatagram: watch.receives.bind(watch),
      onOutput: (output: NodeOutput): void => {
        watch.gives(this.#net.now, output);
        for (const { type } of output.events) this.#met.push(`${name} ${type}`);
        if (output.cause === "packet") this.#met.push(...this.#raised(name, machine.counters()));
      },
    };
  }

  /** Names of the counters of a node that increased. */
  #raised(name: string, counters: Readonly<Record<string, number>>): readonly string[] {
    const before = this.#counters.get(name) ?? {};
    this.#counters.set(name, counters);
    return Object.keys(counters)
      .filter((counter) => counters[counter] !== before[counter])
      .map((counter) => `${name} ${counter}`);
  }
}

/** Sockets of a home agent that its nodes know. */
function homeSockets(letter: "a" | "b"): readonly SocketAddress[] {
  return HOME_AGENTS[letter].ips.flatMap((ip) => [DSMIPV6_PORT, STUN_PORT].map((port) => ({ ip, port })));
}

function dataPacket(from: string, to: string, number: number): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setUint32(4, number);
  return encodeUdpInIpv6({ source: { ip: from, port: 7 }, destination: { ip: to, port: 7 }, payload });
}

/** The number of a data packet from this address; -1 for anything else. */
function dataNumber(packet: Uint8Array, from: string): number {
  const ip = decodeIpv6Packet(packet);
  const inner = ip.ok ? decodeUdpInIpv6(ip.value) : ip;
  if (!inner.ok || formatSocketAddress(inner.value.source) !== formatSocketAddress({ ip: from, port: 7 })) return -1;
  const { payload } = inner.value;
  return payload.length === 8 ? new DataView(payload.buffer, payload.byteOffset).getUint32(4) : -1;
}

/** Adds an item, in place of another one where there are `limit`. */
function remember<T>(items: T[], item: T, limit: number, rng: SeededRng): void {
  if (items.length < limit) items.push(item);
  else items[rng.integer(0, limit - 1)] = item;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function pick<T>(items: readonly T[], rng: SeededRng): T | undefined {
  return items[rng.integer(0, items.length - 1)];
}
