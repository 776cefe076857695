/**
 * Running nodes: a home agent with bindings, mobile and correspondent nodes at every stage of a session. They are fed
 * mutated copies of what they would receive, past and future, while time passes.
 */

import type { SocketAddress } from "../../agent/src/core/address.ts";
import type { Datagram, InstantMs } from "../../agent/src/core/machine.ts";
import type { NodeMachine } from "../../agent/src/core/node/node-machine.ts";
import type { MiceNet, SeededRng, Side } from "../../agent/src/testing/index.ts";
import { datagramsTo, RECORDED_KEYS, type RecordedNode, runTo } from "./recorded-run.ts";
import { repairPayload } from "./repair.ts";
import { expectAtMost, type FuzzTarget } from "./target.ts";

/** Inputs that one node takes before a fresh one replaces it. */
const INPUTS_PER_NODE = 2000;

/** Times of the recorded run: registering, registered, gathering, offering, checking, nominated, at rest. */
const STAGES: readonly InstantMs[] = [15, 500, 1010, 1060, 1120, 1260, 3500];

/** A sender unknown to the session. */
const STRANGER: SocketAddress = { ip: "198.18.0.66", port: 6666 };

/** Fresh nodes, for one campaign. */
export function createLiveTargets(): readonly FuzzTarget[] {
  return [
    liveTarget("home-agent", "ha-a", ({ mn }) => ({ machine: mn.homeAgent.machine })),
    liveTarget("mobile-node", "mn", ({ mn, cn }) => nodeOf(mn, cn)),
    liveTarget("correspondent-node", "cn", ({ mn, cn }) => nodeOf(cn, mn)),
  ];
}

/** A node, and what its owner occasionally does with it. */
interface Subject {
  readonly machine: NodeMachine;
  readonly want?: (now: InstantMs) => void;
}

/** A mobile or correspondent node whose owner connects it to the other one repeatedly. */
function nodeOf(own: Side, other: Side): Subject {
  const { machine } = own.node;
  return { machine, want: (now) => machine.connect(now, other.homeAddress) };
}

function liveTarget(name: string, node: RecordedNode, subjectOf: (mice: MiceNet) => Subject): FuzzTarget {
  const received = datagramsTo(node);
  let fed = 0;
  let live: LiveNode | undefined;
  return {
    name,
    seeds: received.map(({ payload }) => payload),
    repair: (input, rng) => repairPayload(input, pick(RECORDED_KEYS, rng) ?? new Uint8Array(1)),
    run(input, rng) {
      if (live === undefined || fed % INPUTS_PER_NODE === 0) {
        const stage = pick(STAGES, rng) ?? 0;
        live = new LiveNode(subjectOf(runTo(stage)), stage);
      }
      fed += 1;
      return live.feed(input, addressesFor(received, rng), rng);
    },
  };
}

/** Usually the addresses of a received datagram; occasionally those of a stranger. */
function addressesFor(received: readonly Datagram[], rng: SeededRng): Omit<Datagram, "payload"> {
  const { local = STRANGER, remote = STRANGER } = pick(received, rng) ?? {};
  return { local, remote: rng.integer(0, 7) === 0 ? STRANGER : remote };
}

/** Most datagrams that one input may make a node send at once: answers, a new offer, first checks. */
const MAX_DATAGRAMS_PER_INPUT = 16;
const MAX_SURPLUS_PER_INPUT = 4096;

/** Most calls of `handleTimeout` at one instant before a node counts as never idle. */
const MAX_CALLS_PER_INSTANT = 256;

class LiveNode {
  readonly #machine: NodeMachine;
  readonly #want: Subject["want"];
  #now: InstantMs;
  #counters: Readonly<Record<string, number>> = {};

  constructor({ machine, want }: Subject, now: InstantMs) {
    this.#machine = machine;
    this.#want = want;
    this.#now = now;
  }

  feed(input: Uint8Array, addresses: Omit<Datagram, "payload">, rng: SeededRng): readonly string[] {
    if (rng.integer(0, 499) === 0) this.#want?.(this.#now);
    this.#drain();
    const isFromTun = rng.integer(0, 9) === 0;
    if (isFromTun) this.#machine.handleTunPacket(this.#now, input);
    else this.#machine.handleDatagram(this.#now, { ...addresses, payload: input });
    const { met, datagrams, octets } = this.#drain();
    expectAtMost(MAX_DATAGRAMS_PER_INPUT, datagrams, "datagrams sent because of one input");
    expectAtMost(2 * input.length + MAX_SURPLUS_PER_INPUT, octets, `octets sent because of ${input.length}`);
    if (rng.integer(0, 7) === 0) this.#letTimePass(rng.integer(0, 200));
    return [...met, ...this.#raised()];
  }

  /** Advances the time by `durationMs`, waking the node as scheduled; throws when it never becomes idle. */
  #letTimePass(durationMs: number): void {
    const until = this.#now + durationMs;
    for (let wakeAt = this.#machine.pollTimeout(); wakeAt !== undefined && wakeAt <= until; ) {
      this.#now = Math.max(this.#now, wakeAt);
      this.#wakeUntilAsleep();
      wakeAt = this.#machine.pollTimeout();
    }
    this.#now = until;
  }

  #wakeUntilAsleep(): void {
    for (let calls = 0; (this.#machine.pollTimeout() ?? Infinity) <= this.#now; calls++) {
      expectAtMost(MAX_CALLS_PER_INSTANT, calls, "wake-ups at one instant");
      this.#machine.handleTimeout(this.#now);
      this.#drain();
    }
  }

  #drain(): { readonly met: readonly string[]; readonly datagrams: number; readonly octets: number } {
    const machine = this.#machine;
    const met: string[] = [];
    let datagrams = 0;
    let octets = 0;
    for (let sent = machine.pollTransmit(); sent !== undefined; sent = machine.pollTransmit()) {
      datagrams += 1;
      octets += sent.payload.length;
    }
    for (let packet = machine.pollTunPacket(); packet !== undefined; packet = machine.pollTunPacket())
      met.push("to TUN");
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) met.push(event.type);
    return { met, datagrams, octets };
  }

  /** Names of the counters that increased. */
  #raised(): readonly string[] {
    const before = this.#counters;
    this.#counters = this.#machine.counters();
    return Object.keys(this.#counters).filter((name) => this.#counters[name] !== before[name]);
  }
}

function pick<T>(items: readonly T[], rng: SeededRng): T | undefined {
  return items[rng.integer(0, items.length - 1)];
}
