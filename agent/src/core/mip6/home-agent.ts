/**
 * A home agent over DSMIPv6 (RFC 5555). It receives registrations and IPv6 packets in UDP 4191. Packets for the network
 * go to the kernel through the TUN device of the home prefix; packets that the kernel routes to the prefix go into the
 * tunnel of their home address. It answers STUN on the STUN port and, with FINGERPRINT, on the tunnel port.
 *
 * Hop limits are decremented as in IP-in-IP (RFC 2003 section 3.1): once per forwarding. The kernel does that for
 * packets through the TUN device; only packets between two nodes of this home agent are decremented here.
 *
 * A tunnel must not lead into itself (RFC 2473 section 4.1.2): nothing is accepted from the home agent's addresses or
 * from the home prefix, and a packet that is nested too deeply is not tunnelled again.
 */

import { addressFromBytes, formatSocketAddress, type SocketAddress, sameSocketAddress } from "../address.ts";
import type { NodeEvent } from "../events.ts";
import { assertNever, type Datagram, type InstantMs, type Rng, type Transmit } from "../machine.ts";
import { minInstant } from "../min-instant.ts";
import { demultiplex } from "../node/demultiplex.ts";
import type { HomeAgentConfig, NodeMachine } from "../node/node-machine.ts";
import { answerBinding, answerReceived, type StunServerConfig } from "../stun/server.ts";
import { type Binding, BindingCache, type TunnelEnd, takesFrom } from "./binding-cache.ts";
import { createErrorRate } from "./error-rate.ts";
import { createHomePlaces, type HomePlaces } from "./home-places.ts";
import { HomeRegistrar, type ReceivedUpdate } from "./home-registrar.ts";
import {
  addressKey,
  decodeIpv6Packet,
  destinationBytes,
  destinationKey,
  forwardedCopy,
  type Ipv6Packet,
  isCompleteIpv6,
  NEXT_HEADER,
  sourceBytes,
  sourceKey,
} from "./ipv6-packet.ts";
import { decodeMobilityMessage, encodeMobilityMessage } from "./messages.ts";
import { encodeMobilityPacket } from "./mobility-header.ts";
import { answerMtuProbe, mtuProbeKind } from "./mtu-probe.ts";
import { isNestedTooDeeply } from "./nesting.ts";
import { BASE_MTU } from "./path-mtu.ts";
import { PathMtus } from "./path-mtus.ts";
import { BINDING_ERROR_STATUS } from "./status.ts";

/** Maximum number of bindings; further home addresses without a shared key are refused with status 130. */
const MAX_BINDINGS = 4096;

/** Makes a home agent. Throws RangeError when `address` is not an address or `homePrefix` not a prefix. */
export function createHomeAgent(config: HomeAgentConfig, rng: Rng): NodeMachine {
  return new HomeAgent(config, rng);
}

/** A packet for the tunnel of a binding. */
interface Tunnelled {
  readonly binding: Binding;
  readonly packet: Uint8Array;
}

/** Result for a packet: the name of the one counter that it increments. */
type CounterName = string;

class HomeAgent implements NodeMachine {
  readonly #address: string;
  readonly #ownKey: string;
  readonly #places: HomePlaces;
  readonly #stunSockets: readonly SocketAddress[];
  readonly #stunConfig: StunServerConfig;
  readonly #cache = new BindingCache(MAX_BINDINGS);
  readonly #registrar: HomeRegistrar;
  readonly #errorRate = createErrorRate();
  readonly #mtus: PathMtus;
  readonly #transmits: Transmit[] = [];
  readonly #tunPackets: Uint8Array[] = [];
  readonly #events: NodeEvent[] = [];
  readonly #counters: Record<string, number> = {};

  constructor(config: HomeAgentConfig, rng: Rng) {
    this.#address = config.address;
    this.#ownKey = addressKey(config.address);
    this.#places = createHomePlaces(config);
    this.#stunSockets = config.stunSockets;
    this.#stunConfig = config.discovery === undefined ? {} : { discovery: config.discovery };
    this.#registrar = new HomeRegistrar({ ...config, places: this.#places }, this.#cache);
    this.#mtus = new PathMtus({
      source: config.address,
      rng,
      count: (name) => this.#count(name),
      send: (payload, { local, remote }) => void this.#transmits.push({ local, remote, payload }),
      refuse: (error) => this.#refuse(error),
    });
  }

  /** A home agent sends nothing unprompted, and accepts no registration of before its start. */
  start(now: InstantMs): void {
    this.#registrar.start(now);
  }

  handleDatagram(now: InstantMs, datagram: Datagram): void {
    const isStun = this.#stunSockets.some((socket) => sameSocketAddress(socket, datagram.local));
    this.#count(isStun ? this.#answerStun(datagram) : this.#takeFromTunnel(now, datagram));
  }

  handleTunPacket(now: InstantMs, packet: Uint8Array): void {
    this.#count(this.#takeFromTun(now, packet));
  }

  handleTimeout(now: InstantMs): void {
    this.#mtus.handleTimeout(now);
    for (const { homeAddress } of this.#cache.expire(now)) {
      this.#count("registrations.expired");
      this.#events.push({ type: "binding-removed", homeAddress, reason: "expired" });
    }
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollTunPacket(): Uint8Array | undefined {
    return this.#tunPackets.shift();
  }

  pollEvent(): NodeEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): InstantMs | undefined {
    return minInstant(this.#cache.nextExpiry(), this.#mtus.pollTimeout());
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  #takeFromTunnel(now: InstantMs, datagram: Datagram): CounterName {
    const payload = demultiplex(datagram.payload);
    switch (payload.kind) {
      case "ipv6":
        return this.#takeInner(now, datagram, payload.packet);
      case "stun":
        return this.#sendAnswers(answerReceived({ ...datagram, ...payload }, this.#stunConfig));
      case "malformed-stun":
        return "dropped.stun";
      case "keepalive":
        return "received.keepalive";
      case "ipv4":
      case "mobility-header":
        return `dropped.${payload.kind}`;
      case "unknown":
        return `dropped.${payload.reason}`;
      default:
        return assertNever(payload);
    }
  }

  #takeFromTun(now: InstantMs, packet: Uint8Array): CounterName {
    if (!isCompleteIpv6(packet)) return "dropped.tun-not-ipv6";
    const binding = this.#cache.findByKey(destinationKey(packet));
    if (binding !== undefined) return this.#tunnel(now, { binding, packet }, "forwarded.downlink");
    return isForwardable(packet) ? "dropped.unknown-home-address" : "dropped.not-forwardable";
  }

  /** A packet to this node's address with a Mobility Header is processed here; every other one is forwarded. */
  #takeInner(now: InstantMs, datagram: Datagram, packet: Uint8Array): CounterName {
    const key = destinationKey(packet);
    if (key === this.#ownKey) {
      const inner = decodeIpv6Packet(packet);
      if (!inner.ok) return "dropped.inner-malformed";
      if (inner.value.nextHeader === NEXT_HEADER.mobility) return this.#takeMobility(now, datagram, inner.value);
    }
    if (this.#isBoundSource(now, packet, datagram))
      return key === this.#ownKey && mtuProbeKind(packet) !== undefined
        ? this.#takeMtuProbe(now, packet, datagram)
        : this.#forward(now, packet, key);
    this.#answerUnregistered(now, datagram, packet);
    return "dropped.unregistered-source";
  }

  /**
   * Binding Error of status 1 to the source of a packet from an unregistered home address: a NAT may have mapped the
   * tunnel anew, and the mobile node would not detect that before its next update. It is only a hint to register, and
   * rate-limited, since anyone can trigger it for any address.
   */
  #answerUnregistered(now: InstantMs, { local, remote }: Datagram, packet: Uint8Array): void {
    const source = sourceBytes(packet);
    if (!this.#places.isInHomePrefix(source) || this.#places.isHere(remote.ip)) return;
    if (!this.#errorRate.admits(now, formatSocketAddress(remote))) return;
    const homeAddress = addressFromBytes(source);
    const status = BINDING_ERROR_STATUS.unknownBindingForHomeAddress;
    this.#sendError({ local, observed: remote }, homeAddress, { status, homeAddress });
    this.#count("sent.binding-error");
  }

  #forward(now: InstantMs, packet: Uint8Array, key: string): CounterName {
    const binding = this.#cache.findByKey(key);
    if (binding !== undefined) {
      const copy = forwardedCopy(packet);
      return copy === undefined
        ? "dropped.hop-limit"
        : this.#tunnel(now, { binding, packet: copy }, "forwarded.between-bindings");
    }
    if (!isForwardable(packet)) return "dropped.not-forwardable";
    if (key !== this.#ownKey && this.#places.isInHomePrefix(destinationBytes(packet)))
      return "dropped.unknown-home-address";
    this.#tunPackets.push(packet);
    return "forwarded.uplink";
  }

  #tunnel(now: InstantMs, { binding, packet }: Tunnelled, counterName: CounterName): CounterName {
    if (isNestedTooDeeply(packet)) return "dropped.encapsulation-limit";
    const { local, observed, homeAddress } = binding;
    // What probes a path from end to end passes as it is.
    if (packet.length <= BASE_MTU || mtuProbeKind(packet) !== undefined)
      this.#transmits.push({ local, remote: observed, payload: packet });
    else this.#mtus.sendLarge(now, packet, { peer: homeAddress, way: { local, remote: observed } });
    return counterName;
  }

  #takeMtuProbe(now: InstantMs, packet: Uint8Array, { local, remote }: Datagram): CounterName {
    if (mtuProbeKind(packet) === "reply") {
      this.#mtus.handleReply(now, packet);
      return "received.mtu-probe-answer";
    }
    this.#transmits.push({ local, remote, payload: answerMtuProbe(packet) });
    return "answered.mtu-probe";
  }

  /** Packet Too Big to the sender of a packet for a tunnel, which may be a node of this home agent itself. */
  #refuse(error: Uint8Array): void {
    const binding = this.#cache.findByKey(destinationKey(error));
    if (binding === undefined) this.#tunPackets.push(error);
    else this.#transmits.push({ local: binding.local, remote: binding.observed, payload: error });
  }

  /** True when the inner source is a home address bound to exactly this outer source and socket, or just before. */
  #isBoundSource(now: InstantMs, packet: Uint8Array, { local, remote }: Datagram): boolean {
    const binding = this.#cache.findByKey(sourceKey(packet));
    return binding !== undefined && takesFrom(now, binding, local, remote);
  }

  #takeMobility(now: InstantMs, { local, remote }: Datagram, packet: Ipv6Packet): CounterName {
    if (this.#places.isHere(remote.ip)) return "dropped.own-source";
    const { source, destination, payload: header } = packet;
    const homeAddress = packet.homeAddress ?? source;
    const decoded = decodeMobilityMessage(header, { source: homeAddress, destination });
    if (!decoded.ok) return "dropped.mobility-malformed";
    const message = decoded.value;
    const way = { local, observed: remote };
    if (message.type === "binding-update")
      return this.#register(now, { update: message, header, homeAddress, source, ...way });
    return message.type === "unknown" ? this.#answerUnknownType(now, packet, way) : "dropped.mobility-unexpected";
  }

  #register(now: InstantMs, received: ReceivedUpdate): CounterName {
    const { counter, answer, event } = this.#registrar.handleUpdate(now, received);
    if (answer !== undefined)
      this.#transmits.push({ local: received.local, remote: received.observed, payload: answer });
    if (event !== undefined) this.#events.push(event);
    return counter;
  }

  /** Binding Error of status 2 (RFC 6275 section 9.2), only to nodes that are registered. */
  #answerUnknownType(now: InstantMs, packet: Ipv6Packet, way: TunnelEnd): CounterName {
    const binding = this.#cache.find(packet.source);
    if (binding === undefined || !sameSocketAddress(binding.observed, way.observed))
      return "dropped.unregistered-source";
    if (!this.#errorRate.admits(now, formatSocketAddress(way.observed))) return "dropped.unknown-mobility-type";
    const status = BINDING_ERROR_STATUS.unrecognizedMobilityHeaderType;
    this.#sendError(way, packet.source, { status, homeAddress: packet.homeAddress ?? "::" });
    return "answered.unknown-mobility-type";
  }

  #sendError(
    { local, observed }: TunnelEnd,
    destination: string,
    error: { readonly status: number; readonly homeAddress: string },
  ): void {
    const endpoints = { source: this.#address, destination };
    const header = encodeMobilityMessage({ type: "binding-error", ...error, options: [] }, endpoints);
    this.#transmits.push({ local, remote: observed, payload: encodeMobilityPacket(header, endpoints) });
  }

  #answerStun(datagram: Datagram): CounterName {
    return this.#sendAnswers(answerBinding(datagram, this.#stunConfig));
  }

  #sendAnswers(answers: readonly Transmit[]): CounterName {
    this.#transmits.push(...answers);
    return answers.length > 0 ? "answered.stun" : "dropped.stun";
  }

  #count(counterName: CounterName): void {
    this.#counters[counterName] = (this.#counters[counterName] ?? 0) + 1;
  }
}

/** False for destinations that a router does not forward: unspecified, loopback, link-local and multicast. */
function isForwardable(packet: Uint8Array): boolean {
  const destination = destinationBytes(packet);
  const [first = 0, second = 0] = destination;
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false;
  return first !== 0 || destination.subarray(0, 15).some((octet) => octet !== 0);
}
