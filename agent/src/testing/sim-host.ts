/** A node with an IP stack: addresses, routes, UDP sockets, and forwarding if it is a router. */

import { addressToBytes, formatSocketAddress, type SocketAddress } from "../core/address.ts";
import type { Impairment } from "../core/link/impairment.ts";
import { type Prefix, parsePrefix, prefixContains } from "../core/prefix.ts";
import type { RefusedDatagram } from "../core/refusal.ts";
import { asIpv6, asUdp, destinationIp, type Ipv6Packet, type SimPacket, sourceIp } from "./packet.ts";
import type { SimNet, SimNode, SimPort } from "./sim-net.ts";

/** Receives the UDP payloads of a bound socket. */
export type UdpHandler = (payload: Uint8Array, remote: SocketAddress) => void;

interface Route {
  readonly prefix: Prefix;
  readonly port: SimPort;
  /** Next hop; absent when the prefix is on-link. */
  readonly via?: string;
}

/** A host; with `forward` it is a router. */
export class SimHost implements SimNode {
  readonly name: string;
  readonly net: SimNet;
  /** Receives IPv6 packets for prefixes routed into the host's TUN device. */
  onTunnelled: ((packet: Ipv6Packet) => void) | undefined;
  /** Receives ICMP errors about datagrams of the host's sockets. */
  onRefusal: ((refused: RefusedDatagram) => void) | undefined;
  /** Called for packets between two ports before they are forwarded; may translate or drop (undefined) them. */
  forward: ((packet: SimPacket, arrivedAt: SimPort, leavesBy: SimPort) => SimPacket | undefined) | undefined;
  /** Called first for packets to the host's own addresses; true when it has consumed the packet. */
  intake: ((packet: SimPacket, arrivedAt: SimPort) => boolean) | undefined;
  readonly #routes: Route[] = [];
  readonly #sockets = new Map<string, UdpHandler>();
  readonly #ports: SimPort[] = [];
  readonly #tunPrefixes: Prefix[] = [];
  /** Cached routes by destination and source. */
  readonly #routeCache = new Map<string, Route | undefined>();

  constructor(net: SimNet, name: string) {
    this.net = net;
    this.name = name;
  }

  /** The ports it has. */
  get ports(): readonly SimPort[] {
    return this.#ports;
  }

  /** Adds a port with addresses such as `192.168.1.2/24`. */
  attach(segment: string, addresses: readonly string[], impairment?: Impairment): SimPort {
    const port = this.net.attach(this, segment, addresses, impairment);
    this.#ports.push(port);
    for (const address of addresses) this.#addRoute({ prefix: parsePrefix(address), port });
    return port;
  }

  /** Removes a port with its addresses and routes, as when a node leaves a network. */
  detach(port: SimPort): void {
    port.detach();
    this.#ports.splice(this.#ports.indexOf(port), 1);
    const kept = this.#routes.filter((route) => route.port !== port);
    this.#routes.splice(0, this.#routes.length, ...kept);
    this.#routeCache.clear();
  }

  /** Routes a prefix through the port whose segment has the next hop. */
  route(prefix: string, via: string): void {
    const onLink = this.#lookUp(via);
    if (onLink === undefined) throw new Error(`${this.name}: no segment has the next hop ${via}`);
    this.#addRoute({ prefix: parsePrefix(prefix), port: onLink.port, via });
  }

  /** Routes a prefix into the TUN device. */
  routeToTun(prefix: string): void {
    this.#tunPrefixes.push(parsePrefix(prefix));
  }

  bind(local: SocketAddress, handler: UdpHandler): void {
    this.#sockets.set(formatSocketAddress(local), handler);
  }

  unbind(local: SocketAddress): void {
    this.#sockets.delete(formatSocketAddress(local));
  }

  /** Sends from this host; false when there is no route. */
  send(packet: SimPacket): boolean {
    const destination = destinationIp(packet);
    const isLocal = this.#owns(destination);
    if (isLocal) this.net.time.at(this.net.time.now, () => this.#deliver(packet));
    return isLocal || this.#sendBy(this.#lookUp(destination, sourceIp(packet)), packet);
  }

  receive(packet: SimPacket, port: SimPort): void {
    if (this.intake?.(packet, port) === true) return;
    const destination = destinationIp(packet);
    if (this.onTunnelled !== undefined && this.#tunPrefixes.some((prefix) => isIn(prefix, destination)))
      this.onTunnelled(asIpv6(packet));
    else if (this.#owns(destination)) this.#deliver(packet);
    else this.#forward(packet, port);
  }

  #forward(packet: SimPacket, arrivedAt: SimPort): void {
    const route = this.#lookUp(destinationIp(packet));
    if (route === undefined || this.forward === undefined) return;
    const onward = this.forward(packet, arrivedAt, route.port);
    if (onward !== undefined) this.#sendBy(this.#lookUp(destinationIp(onward)), onward);
  }

  #sendBy(route: Route | undefined, packet: SimPacket): boolean {
    route?.port.send(packet, route.via ?? destinationIp(packet));
    return route !== undefined;
  }

  #deliver(packet: SimPacket): void {
    if (packet.kind === "icmp") {
      const { destination: local, refused: remote, source: by, reason } = packet;
      this.onRefusal?.({ local, remote, by, reason });
      return;
    }
    const datagram = asUdp(packet);
    if (datagram === undefined) return;
    this.#sockets.get(formatSocketAddress(datagram.destination))?.(datagram.payload, datagram.source);
  }

  #owns(ip: string): boolean {
    return this.#ports.some((port) => port.addresses.some((address) => address.split("/")[0] === ip));
  }

  #addRoute(route: Route): void {
    this.#routes.push(route);
    this.#routeCache.clear();
  }

  #lookUp(ip: string, source = ""): Route | undefined {
    const key = `${ip} ${source}`;
    if (!this.#routeCache.has(key)) this.#routeCache.set(key, this.#bestMatch(ip, source));
    return this.#routeCache.get(key);
  }

  /** The longest match; of several that of the port with the source address, else the first. */
  #bestMatch(ip: string, source: string): Route | undefined {
    const isOfSource = ({ port }: Route): number => Number(port.addresses.some((own) => own.split("/")[0] === source));
    return this.#routes
      .filter(({ prefix }) => isIn(prefix, ip))
      .toSorted((a, b) => b.prefix.length - a.prefix.length || isOfSource(b) - isOfSource(a))[0];
  }
}

function isIn(prefix: Prefix, ip: string): boolean {
  return prefixContains(prefix, addressToBytes(ip));
}
