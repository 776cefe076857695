/** A network in virtual time: segments, ports of nodes, impairments, and a trace of every packet. */

import type { Impairment } from "../core/link/impairment.ts";
import { createLinkImpairment, type LinkImpairment } from "../core/link/link-impairment.ts";
import type { InstantMs } from "../core/machine.ts";
import { packetOctets, type SimPacket } from "./packet.ts";
import { type SeededRng, seededRng } from "./seeded-rng.ts";
import { VirtualTime } from "./virtual-time.ts";

/** A node with ports: host, NAT or router. */
export interface SimNode {
  readonly name: string;
  /** Receives a packet on one of its ports. */
  receive(packet: SimPacket, port: SimPort): void;
}

/** A network interface of a node. */
export interface SimPort {
  readonly node: SimNode;
  readonly segment: string;
  /** Addresses with prefix length. */
  readonly addresses: readonly string[];
  /** Sends a packet to the node on the segment that has the address `nextHop`. */
  readonly send: (packet: SimPacket, nextHop: string) => void;
  /** Removes the port from its segment; later packets to it are lost. */
  readonly detach: () => void;
}

/** Whether a packet was put on the segment; the link may still lose it. */
type LinkOutcome = "sent" | "no-such-address" | "intercepted";

/** One packet on one segment, at the time of sending. */
export interface TraceEntry {
  readonly atMs: InstantMs;
  readonly segment: string;
  readonly from: string;
  readonly to: string | undefined;
  readonly packet: SimPacket;
  readonly outcome: LinkOutcome;
}

/** Called before a packet is put on a segment: false drops it. */
export type Interceptor = (hop: {
  readonly segment: string;
  readonly from: string;
  readonly packet: SimPacket;
}) => boolean;

/** The whole simulated network. */
export class SimNet {
  readonly time = new VirtualTime();
  readonly trace: TraceEntry[] = [];
  readonly #rng: SeededRng;
  readonly #ports = new Map<string, Set<AttachedPort>>();
  readonly #interceptors: Interceptor[] = [];

  constructor(seed = 1) {
    this.#rng = seededRng(seed);
  }

  /** Attaches a node to a segment, which is created on first use. The impairment applies to both directions. */
  attach(node: SimNode, segment: string, addresses: readonly string[], impairment: Impairment = {}): SimPort {
    const ports = this.#ports.get(segment) ?? new Set();
    this.#ports.set(segment, ports);
    const port: AttachedPort = {
      node,
      segment,
      addresses,
      ips: new Set(addresses.map((address) => address.split("/")[0] ?? address)),
      send: (packet, nextHop) => this.#send(port, packet, nextHop),
      detach: () => void ports.delete(port),
      egress: this.#pipe(impairment, ({ packet, to }) => to.ingress(packet)),
      ingress: this.#pipe(impairment, (packet) => {
        if (ports.has(port)) node.receive(packet, port);
      }),
    };
    ports.add(port);
    return port;
  }

  /** Adds an interceptor, called for every packet before it is put on a segment. */
  intercept(interceptor: Interceptor): void {
    this.#interceptors.push(interceptor);
  }

  #send(from: AttachedPort, packet: SimPacket, nextHop: string): void {
    const to = [...(this.#ports.get(from.segment) ?? [])].find((port) => port.ips.has(nextHop));
    const hop = { segment: from.segment, from: from.node.name, packet };
    const isIntercepted = this.#interceptors.some((passes) => !passes(hop));
    const outcome = to === undefined ? "no-such-address" : isIntercepted ? "intercepted" : "sent";
    this.trace.push({ atMs: this.time.now, ...hop, to: to?.node.name, outcome });
    if (to !== undefined && outcome === "sent") from.egress({ packet, to });
  }

  /** One direction of a port. For the rate, a packet's size is that of the IP packet. */
  #pipe<T extends SimPacket | { readonly packet: SimPacket }>(
    impairment: Impairment,
    deliver: (item: T) => void,
  ): (item: T) => void {
    const pipe: LinkImpairment<T> = createLinkImpairment(impairment, () => this.#rng.fraction());
    const flush = (): void => {
      for (let item = pipe.pollDue(this.time.now); item !== undefined; item = pipe.pollDue(this.time.now))
        deliver(item);
      arm();
    };
    const arm = (): void => {
      const dueAt = pipe.pollTimeout();
      if (dueAt !== undefined) this.time.at(dueAt, flush);
    };
    return (item) => {
      const isIdle = pipe.pollTimeout() === undefined;
      pipe.push(this.time.now, item, packetOctets("packet" in item ? item.packet : item));
      if (isIdle) arm();
    };
  }
}

interface AttachedPort extends SimPort {
  readonly ips: ReadonlySet<string>;
  readonly egress: (item: { readonly packet: SimPacket; readonly to: AttachedPort }) => void;
  readonly ingress: (packet: SimPacket) => void;
}
