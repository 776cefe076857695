/** The home of a mobile node: the reverse tunnel to its home agent, and the registration there. */

import { canonicalAddress, type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { Pacer } from "../../ice/pacer.ts";
import type { LocalSocket } from "../../local-socket.ts";
import type { InstantMs, Rng, Transmit } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import { HomeRegistration } from "../../mip6/home-registration.ts";
import type { BindingAcknowledgement } from "../../mip6/messages.ts";
import type { HomeAgentAccess } from "../../node/node-machine.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { StunDatagram } from "../../stun/receive.ts";
import type { Home, HomeNews } from "./home.ts";
import { createReverseTunnel, type ReverseTunnel, type TunnelWay, tunnelWays } from "./reverse-tunnel.ts";
import { type TunnelNews, TunnelWatch } from "./tunnel-watch.ts";

export interface MobileHomeConfig {
  readonly homeAddress: string;
  readonly homeAgent: HomeAgentAccess;
  readonly registrationKey?: Uint8Array;
  /** Of the first registration, 0..65535. */
  readonly firstSequence: number;
  /** Unix time of instant 0 in milliseconds. */
  readonly clockOriginMs: number;
  readonly rng: Rng;
  readonly pacer: Pacer;
  /** Longest time between two questions whether the tunnel works. */
  readonly keepaliveMs: number;
  /** The same while the tunnel is in use. */
  readonly inUseMs: number;
  /** The tunnel must work at any moment. It is also in use when packets were sent through it since the last question. */
  readonly isInUse: () => boolean;
}

/** Updates unanswered on one way before the next is tried although it answers no questions either (SPEC 4.2). */
const UNANSWERED_BEFORE_NEXT_WAY = 3;

/** A registration by a better way that is not answered in this time is taken back. */
const RETURN_TIMEOUT_MS = 2000;

/** Makes a home that has no sockets yet. */
export function createMobileHome(config: MobileHomeConfig, outbox: Outbox): Home {
  return new MobileHome(config, outbox);
}

class MobileHome implements Home {
  readonly agentAddress: string;
  readonly #config: MobileHomeConfig;
  readonly #outbox: Outbox;
  readonly #tunnel: ReverseTunnel;
  readonly #registration: HomeRegistration;
  readonly #watch: TunnelWatch;
  /** The way of Binding Updates: that of the tunnel, or the one that the tunnel is to take once it is registered. */
  #updateWay: TunnelWay | undefined;
  #changedSocket: SocketAddress | undefined;
  /** Packets were sent through the tunnel since the last question. */
  #hasSent = false;

  constructor(config: MobileHomeConfig, outbox: Outbox) {
    const { homeAddress, homeAgent, registrationKey, firstSequence, clockOriginMs } = config;
    const { rng, pacer, keepaliveMs, inUseMs, isInUse } = config;
    this.agentAddress = canonicalAddress(homeAgent.address);
    this.#config = config;
    this.#outbox = outbox;
    this.#tunnel = createReverseTunnel(homeAgent.tunnel, outbox);
    this.#registration = new HomeRegistration({
      homeAddress,
      homeAgentAddress: this.agentAddress,
      firstSequence,
      clockOriginMs,
      ...(registrationKey && { key: registrationKey }),
    });
    this.#watch = new TunnelWatch({
      rng,
      pacer,
      intervalMs: () => (this.#hasSent || isInUse() ? Math.min(inUseMs, keepaliveMs) : keepaliveMs),
      unansweredSince: () => (this.#isMoving ? undefined : this.#registration.unansweredSince),
    });
  }

  get isReady(): boolean {
    return this.#registration.registration !== undefined;
  }

  get tunnelWay(): TunnelWay | undefined {
    return this.#tunnel.way;
  }

  settleAt(now: InstantMs, sockets: readonly LocalSocket[], kept: readonly SocketAddress[]): void {
    this.#sendUpdates();
    const ways = tunnelWays(sockets, this.#config.homeAgent.tunnel);
    const old = kept.some((socket) => isFrom(socket, this.#tunnel.way)) ? this.#tunnel.way : undefined;
    this.#watch.useWays(now, ways);
    const [best] = ways;
    this.#updateWay = best;
    this.#tunnel.way = best;
    if (best === undefined)
      this.#outbox.emit({ type: "registration-failed", reason: "no socket has a way to the home agent" });
    else if (old !== undefined && !isSameWay(old, best) && this.isReady) {
      this.#watch.use(now, old);
      this.#leaveFor(now, best, old);
    } else this.#registration.retarget(now, best.local);
  }

  confirm(now: InstantMs): boolean {
    return this.#registration.confirm(now);
  }

  resume(now: InstantMs): void {
    if (!this.#registration.isWanted) return;
    if (this.#isMoving) this.#takeBack(now);
    else this.#registration.renew(now);
    this.#watch.resume(now);
  }

  leave(now: InstantMs): void {
    this.#watch.stop();
    this.#registration.deregister(now);
  }

  takeAcknowledgement(now: InstantMs, message: BindingAcknowledgement, header: Uint8Array): boolean {
    return this.#registration.handleAcknowledgement(now, message, header);
  }

  isAgent(remote: SocketAddress): boolean {
    return this.#tunnel.isHomeAgent(remote);
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#watch.ownsTransaction(transactionId);
  }

  handleStun(now: InstantMs, datagram: StunDatagram): void {
    this.#watch.handleStun(now, datagram);
  }

  send(packet: Uint8Array): void {
    this.#hasSent = true;
    this.#tunnel.send(packet);
  }

  sendRelayed(transmit: Transmit): boolean {
    if (transmit.local.ip !== this.#config.homeAddress) return false;
    this.#hasSent = true;
    this.#tunnel.sendDatagram(transmit);
    return true;
  }

  advance(now: InstantMs): HomeNews {
    for (let news = this.#watch.pollNews(); news !== undefined; news = this.#watch.pollNews()) this.#heed(now, news);
    this.#sendUpdates();
    const hasRegistered = this.#takeEvents(now);
    for (let sent = this.#watch.pollTransmit(); sent !== undefined; sent = this.#watch.pollTransmit()) {
      this.#hasSent = false;
      this.#outbox.count("tunnel.asked");
      this.#outbox.transmit(sent);
    }
    const changedSocket = this.#changedSocket;
    this.#changedSocket = undefined;
    return { hasRegistered, ...(changedSocket && { changedSocket }) };
  }

  handleTimeout(now: InstantMs): void {
    this.#registration.handleTimeout(now);
    if (this.#registration.isWanted) this.#watch.handleTimeout(now);
    if (now >= (this.#returnEndsAt ?? Infinity)) this.#takeBack(now);
    else if (this.#registration.unanswered >= UNANSWERED_BEFORE_NEXT_WAY) this.#tryNext(now);
  }

  pollTimeout(): InstantMs | undefined {
    const watchAt = this.#registration.isWanted ? this.#watch.pollTimeout() : undefined;
    return minInstant(this.#registration.pollTimeout(), watchAt, this.#returnEndsAt);
  }

  #heed(now: InstantMs, news: TunnelNews): void {
    switch (news.type) {
      case "dead":
        if (!sameSocketAddress(news.next.local, this.#tunnel.way?.local ?? news.next.local))
          this.#changedSocket = this.#tunnel.way?.local;
        this.#switchTo(now, news.next);
        break;
      case "remapped":
        this.#changedSocket = this.#tunnel.way?.local;
        this.#registration.renew(now);
        break;
      case "better":
        if (this.#tunnel.way !== undefined) this.#leaveFor(now, news.next, this.#tunnel.way);
        break;
      case "works-again":
        this.#registration.renew(now);
        break;
    }
  }

  /** The way in use is of no use: the tunnel takes another one at once. */
  #switchTo(now: InstantMs, way: TunnelWay): void {
    this.#sendUpdates();
    this.#tunnel.way = way;
    this.#updateWay = way;
    this.#watch.use(now, way);
    this.#registration.retarget(now, way.local);
  }

  /** The old way carries data until the home agent has answered on the new one. */
  #leaveFor(now: InstantMs, way: TunnelWay, old: TunnelWay): void {
    this.#sendUpdates();
    this.#tunnel.way = old;
    this.#updateWay = way;
    this.#registration.moveTo(now, way.local);
  }

  #tryNext(now: InstantMs): void {
    const next = this.#watch.following();
    if (next !== undefined) this.#switchTo(now, next);
  }

  get #isMoving(): boolean {
    return this.#updateWay !== this.#tunnel.way;
  }

  get #returnEndsAt(): InstantMs | undefined {
    const since = this.#isMoving ? this.#registration.unansweredSince : undefined;
    return since === undefined ? undefined : since + RETURN_TIMEOUT_MS;
  }

  /** The better way does not register. The home agent may have taken an update all the same, so the old one follows. */
  #takeBack(now: InstantMs): void {
    this.#sendUpdates();
    this.#updateWay = this.#tunnel.way;
    this.#watch.refuse(now);
    if (this.#tunnel.way !== undefined) this.#registration.moveTo(now, this.#tunnel.way.local);
  }

  #sendUpdates(): void {
    for (let packet = this.#registration.pollPacket(); packet !== undefined; packet = this.#registration.pollPacket())
      this.#tunnel.send(packet, this.#updateWay);
  }

  /** True when the node has just been registered. */
  #takeEvents(now: InstantMs): boolean {
    let hasRegistered = false;
    for (let event = this.#registration.pollEvent(); event !== undefined; event = this.#registration.pollEvent()) {
      this.#outbox.emit(event);
      if (event.type === "registered") {
        hasRegistered = true;
        this.#settleOnUpdateWay(now);
      } else if (event.type === "registration-failed" && this.#isMoving) this.#takeBack(now);
    }
    return hasRegistered;
  }

  /** The home agent sends to the way of the update that it has answered. */
  #settleOnUpdateWay(now: InstantMs): void {
    if (this.#isMoving && this.#updateWay !== undefined) {
      this.#tunnel.way = this.#updateWay;
      this.#watch.use(now, this.#updateWay);
    }
    this.#watch.noteAnswer(now);
  }
}

function isFrom(socket: SocketAddress, way: TunnelWay | undefined): boolean {
  return way !== undefined && sameSocketAddress(way.local, socket);
}

function isSameWay(one: TunnelWay, other: TunnelWay): boolean {
  return sameSocketAddress(one.local, other.local) && sameSocketAddress(one.remote, other.remote);
}
