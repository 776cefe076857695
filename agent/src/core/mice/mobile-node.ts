/**
 * A mobile, correspondent or stationary node as one machine: home, sessions and data plane. Mobile and correspondent
 * node differ only in which one calls `connect`; a stationary node has no home agent.
 */

import { addressToBytes, canonicalAddress, sameSocketAddress } from "../address.ts";
import { ByteReader } from "../bytes.ts";
import { createPacer } from "../ice/pacer.ts";
import { createRefusals } from "../ice/refusals.ts";
import { isSameSocket, type LocalSocket } from "../local-socket.ts";
import { assertNever, type Datagram, type InstantMs, type Rng, type Transmit } from "../machine.ts";
import { minInstant } from "../min-instant.ts";
import { type Correspondent, createCorrespondent } from "../mip6/correspondent.ts";
import { decodeIpv6Packet } from "../mip6/ipv6-packet.ts";
import { PathMtus, type Way } from "../mip6/path-mtus.ts";
import { decodeUdpInIpv6 } from "../mip6/udp-in-ipv6.ts";
import { type AgentSettings, agentSettings } from "../node/agent-settings.ts";
import { type DemultiplexedPayload, demultiplex } from "../node/demultiplex.ts";
import type { MobileNodeConfig, MobileNodeMachine } from "../node/node-machine.ts";
import { createOutbox, type Outbox } from "../node/outbox.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { DataPlane } from "./data-plane.ts";
import { createGatheringPool, type GatheringPool } from "./gathering/gathering-pool.ts";
import type { Home } from "./home/home.ts";
import { createMobileHome } from "./home/mobile-home.ts";
import { createStationaryHome } from "./home/stationary-home.ts";
import { createMobilityIntake } from "./mobility-intake.ts";
import { createMobilityLink, type MobilityLink } from "./session/mobility-link.ts";
import { Session } from "./session.ts";
import { createSessionTable, DEFAULT_SESSION_LIMITS, type SessionTable } from "./session-table.ts";
import { routeStun } from "./stun-router.ts";

/** Makes a node; it is idle before `start`. The same seed and inputs produce the same octets. */
export function createMobileNode(config: MobileNodeConfig, rng: Rng): MobileNodeMachine {
  return new MobileNode(config, rng);
}

/**
 * A timeout that comes so late comes after a pause of the process or of the machine. Profile: longer than a busy machine
 * delays one, shorter than mappings last.
 */
const ASLEEP_MS = 3000;

class MobileNode implements MobileNodeMachine {
  readonly #homeAddress: string;
  readonly #settings: AgentSettings;
  readonly #outbox: Outbox = createOutbox();
  readonly #home: Home;
  readonly #correspondent: Correspondent;
  readonly #link: MobilityLink;
  readonly #mtus: PathMtus;
  /** Of all gatherings and sessions together. */
  readonly #pacer = createPacer();
  readonly #refusals = createRefusals();
  readonly #gatherings: GatheringPool;
  readonly #sessions: SessionTable;
  readonly #dataPlane: DataPlane;
  /** Peers to offer to as soon as the home is ready. */
  readonly #wanted = new Set<string>();
  #sockets: readonly LocalSocket[];

  constructor(config: MobileNodeConfig, rng: Rng) {
    const homeAddress = canonicalAddress(config.homeAddress);
    this.#homeAddress = homeAddress;
    this.#settings = agentSettings(config.settings);
    this.#sockets = config.sockets;
    this.#home = this.#createHome(config, rng);
    this.#correspondent = createCorrespondent(rng);
    this.#mtus = new PathMtus({
      source: homeAddress,
      rng,
      count: (name) => this.#outbox.count(name),
      send: (packet, way) => this.#sendBy(packet, way),
      refuse: (error) => this.#outbox.toTun(error),
    });
    this.#link = createMobilityLink(homeAddress, (packet, way) => {
      for (const fragment of this.#mtus.fragments(packet))
        if (way.type === "pair") this.#sendBy(fragment, way);
        else this.#home.send(fragment);
    });
    this.#gatherings = createGatheringPool(
      {
        profile: this.#settings.profile,
        rng,
        pacer: this.#pacer,
        // A lite agent has host candidates and the home address (SPEC 2.12).
        servers: this.#settings.isLite ? [] : config.stunServers,
        homeAddress,
        sockets: () => this.#sockets,
        tunnelSocket: () => this.#home.tunnelWay?.local,
      },
      this.#outbox,
    );
    this.#sessions = createSessionTable(DEFAULT_SESSION_LIMITS, (peer) => this.#createSession(peer, config, rng));
    this.#dataPlane = this.#createDataPlane(config);
  }

  start(now: InstantMs): void {
    this.#home.settleAt(now, this.#sockets, []);
    this.#settle(now);
  }

  connect(now: InstantMs, peerHomeAddress: string): void {
    const peer = canonicalAddress(peerHomeAddress);
    if (addressToBytes(peer).length !== 16 || peer === this.#homeAddress)
      throw new RangeError(`a peer is named by the IPv6 home address of another node, not ${peerHomeAddress}`);
    this.#want(now, peer);
    this.#settle(now);
  }

  leave(now: InstantMs): void {
    this.#wanted.clear();
    for (const session of this.#sessions.all()) session.leave(now);
    this.#home.leave(now);
    this.#settle(now);
  }

  retarget(now: InstantMs, sockets: readonly LocalSocket[]): void {
    const before = this.#sockets;
    const kept = sockets.filter((socket) => before.some((old) => isSameSocket(old, socket)));
    const change = { kept, hasNew: kept.length < sockets.length };
    this.#sockets = sockets;
    for (const session of this.#sessions.all())
      if (session.changeAddresses(now, change)) this.#wanted.add(session.peer);
    this.#mtus.forget();
    this.#home.settleAt(now, sockets, kept);
    this.#settle(now);
  }

  handleDatagram(now: InstantMs, datagram: Datagram): void {
    const { local, remote } = datagram;
    const payload = demultiplex(datagram.payload);
    switch (payload.kind) {
      case "ipv6":
        this.#dataPlane.fromNetwork(now, payload.packet, local, remote);
        break;
      case "stun":
        this.#routeStun(now, { ...payload, local, remote });
        break;
      default:
        this.#outbox.count(counterOfIgnored(payload));
    }
    this.#settle(now);
  }

  handleRefusal(now: InstantMs, refused: RefusedDatagram): void {
    for (const session of this.#sessions.all()) session.handleRefusal(now, refused);
  }

  handleTunPacket(now: InstantMs, packet: Uint8Array): void {
    if (this.#dataPlane.fromTun(now, packet) === "signalling") this.#settle(now);
  }

  handleTimeout(now: InstantMs): void {
    if (now - (this.pollTimeout() ?? now) >= ASLEEP_MS) this.#resume(now);
    this.#home.handleTimeout(now);
    this.#gatherings.handleTimeout(now);
    this.#mtus.handleTimeout(now);
    for (const session of this.#sessions.all()) session.handleTimeout(now);
    this.#settle(now);
  }

  pollTransmit(): Transmit | undefined {
    return this.#outbox.pollTransmit();
  }

  pollTunPacket(): Uint8Array | undefined {
    return this.#outbox.pollTunPacket();
  }

  pollEvent() {
    return this.#outbox.pollEvent();
  }

  pollTimeout(): InstantMs | undefined {
    const sessions = [...this.#sessions.all()].map((session) => session.pollTimeout());
    return minInstant(this.#home.pollTimeout(), this.#gatherings.pollTimeout(), this.#mtus.pollTimeout(), ...sessions);
  }

  counters(): Readonly<Record<string, number>> {
    const counters = { ...this.#outbox.counters() };
    for (const session of this.#sessions.all()) {
      for (const [name, amount] of Object.entries(session.counters())) counters[name] = (counters[name] ?? 0) + amount;
    }
    return counters;
  }

  #createHome({ homeAgent, registrationKey, clockOriginMs = 0 }: MobileNodeConfig, rng: Rng): Home {
    if (homeAgent === undefined) return createStationaryHome(this.#outbox);
    const { tunnelKeepaliveMs, consentIntervalMs } = this.#settings.timers;
    const config = {
      homeAddress: this.#homeAddress,
      homeAgent,
      firstSequence: new ByteReader(rng.bytes(2)).u16(),
      clockOriginMs,
      rng,
      pacer: this.#pacer,
      keepaliveMs: tunnelKeepaliveMs,
      // While there is a session, the tunnel lasts as long as the pair: the peer's next offer comes through it.
      inUseMs: consentIntervalMs > 0 ? consentIntervalMs : tunnelKeepaliveMs,
      isInUse: () => [...this.#sessions.all()].some(({ isAlive }) => isAlive),
      ...(registrationKey && { registrationKey }),
    };
    return createMobileHome(config, this.#outbox);
  }

  #createSession(peer: string, config: MobileNodeConfig, rng: Rng): Session {
    return new Session(peer, {
      ...this.#settings,
      homeAddress: this.#homeAddress,
      isStationary: config.homeAgent === undefined,
      rng,
      pacer: this.#pacer,
      refusals: this.#refusals,
      outbox: this.#outbox,
      link: this.#link,
      correspondent: this.#correspondent,
      gather: (now, forPeer, callbacks) => this.#gatherings.gather(now, forPeer, callbacks),
      confirmRegistration: (now) => void this.#home.confirm(now),
      sendCheck: (transmit) => this.#sendCheck(transmit),
    });
  }

  #createDataPlane({ homeAgent, sockets, peers = [] }: MobileNodeConfig): DataPlane {
    const shared = { outbox: this.#outbox, sessions: this.#sessions, home: this.#home, mtus: this.#mtus };
    const intake = createMobilityIntake({
      ...shared,
      correspondent: this.#correspondent,
      link: this.#link,
      peers: new Set(peers.map(canonicalAddress)),
    });
    return new DataPlane(this.#homeAddress, {
      ...shared,
      ...(homeAgent === undefined && { nativePorts: new Set(sockets.map(({ port }) => port)) }),
      control: { handleMobility: intake, handleRelayed: (now, packet) => this.#takeRelayed(now, packet) },
    });
  }

  #sendBy(packet: Uint8Array, { local, remote }: Way): void {
    if (this.#home.isAgent(remote)) this.#home.send(packet);
    else this.#outbox.transmit({ local, remote, payload: packet });
  }

  #want(now: InstantMs, peer: string): void {
    if (!this.#home.isReady) {
      this.#wanted.add(peer);
      return;
    }
    const session = this.#sessions.open(peer);
    if (typeof session === "string") this.#outbox.emit({ type: "session-failed", peer, reason: session });
    else if (session.isSettingUp) this.#outbox.count("ignored.connect-while-setting-up");
    else session.offer(now);
  }

  /** Mappings may be gone, bindings too, and peers may have given up: everything is asked at once. */
  #resume(now: InstantMs): void {
    this.#outbox.count("resumed.after-sleep");
    this.#home.resume(now);
    for (const session of this.#sessions.all()) session.resume(now);
  }

  /** Processes everything that an input may have caused in another part. */
  #settle(now: InstantMs): void {
    this.#gatherings.advance(now);
    const { hasRegistered, changedSocket } = this.#home.advance(now);
    if (hasRegistered) this.#offerToWanted(now);
    if (changedSocket === undefined) return;
    for (const session of this.#sessions.all()) session.suspectPairOf(now, changedSocket);
  }

  #offerToWanted(now: InstantMs): void {
    const peers = [...this.#wanted];
    this.#wanted.clear();
    for (const peer of peers) this.#want(now, peer);
    this.#gatherings.advance(now);
  }

  #routeStun(now: InstantMs, datagram: StunDatagram): void {
    routeStun(now, datagram, {
      sessions: () => this.#sessions.all(),
      clients: () => [...this.#gatherings.all(), this.#home],
      send: (transmit) => this.#sendCheck(transmit),
      refusals: this.#refusals,
      outbox: this.#outbox,
    });
  }

  /** A check from an address that is gone is lost, as on a way that is broken. */
  #sendCheck(transmit: Transmit): void {
    if (this.#home.sendRelayed(transmit)) return;
    if (this.#sockets.some((socket) => sameSocketAddress(socket, transmit.local))) this.#outbox.transmit(transmit);
    else this.#outbox.count("dropped.address-gone");
  }

  /** A check on a relayed pair: STUN in UDP in IPv6 from the tunnel, to the port of the relayed candidate. */
  #takeRelayed(now: InstantMs, packet: Uint8Array): boolean {
    const ip = decodeIpv6Packet(packet);
    const inner = ip.ok ? decodeUdpInIpv6(ip.value) : ip;
    if (!inner.ok) return false;
    const { source, destination } = inner.value;
    const payload = demultiplex(inner.value.payload);
    switch (payload.kind) {
      case "stun":
        this.#routeStun(now, { ...payload, local: destination, remote: source });
        return true;
      case "malformed-stun":
        this.#outbox.count(counterOfIgnored(payload));
        return true;
      default:
        return false;
    }
  }
}

/** Counter of a payload that a mobile node ignores. */
function counterOfIgnored(payload: Exclude<DemultiplexedPayload, { readonly kind: "ipv6" | "stun" }>): string {
  switch (payload.kind) {
    case "unknown":
      return `dropped.${payload.reason}`;
    case "malformed-stun":
      return `dropped.stun-${payload.reason}`;
    case "ipv4":
    case "mobility-header":
    case "keepalive":
      return `ignored.${payload.kind}`;
    default:
      return assertNever(payload);
  }
}
