import { type SocketAddress, sameSocketAddress } from "../../../../agent/src/core/address.ts";
import type { NodeEvent } from "../../../../agent/src/core/events.ts";
import { hostCandidate, relayedCandidate } from "../../../../agent/src/core/ice/candidate.ts";
import { createIceAgent } from "../../../../agent/src/core/ice/ice-agent.ts";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import { createMobileNode } from "../../../../agent/src/core/mice/mobile-node.ts";
import { makeCredentials } from "../../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import {
  decodeMipIce,
  encodeMipIce,
  type MipIceDescription,
} from "../../../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  type MobilityMessageOf,
  NO_FLAGS,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../../agent/src/core/mip6/mobility-header.ts";
import { bindingManagementKey, encodeAuthorized } from "../../../../agent/src/core/mip6/return-routability.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";
import { stunDatagram } from "../stun/received.ts";

export const MN_HOME = "2001:db8:a::100";
export const CN_HOME = "2001:db8:b::200";
export const MN_SOCKET: SocketAddress = { ip: "198.18.0.10", port: 40_001 };
const CN_SOCKET: SocketAddress = { ip: "198.18.0.20", port: 40_002 };
export const CN_HOME_AGENT: SocketAddress = { ip: "198.18.0.3", port: 4191 };

/** A message that the correspondent sent, with its path. */
export interface SentMessage {
  readonly message: MobilityMessage;
  readonly header: Uint8Array;
  readonly to: SocketAddress;
}

/** Fields of a Binding Update that a test sets; the others are those of an honest mobile node. */
export interface UpdateChoice {
  readonly sequence?: number;
  readonly careOf?: string;
  readonly lifetimeSec?: number;
  readonly acknowledge?: boolean;
  readonly homeRegistration?: boolean;
  readonly indices?: { readonly home: number; readonly careOf: number } | "none";
  readonly key?: Uint8Array;
  readonly from?: SocketAddress;
}

/**
 * A correspondent machine, and a mobile node played by the test, which builds every message itself so that each can be
 * wrong. Its checks are those of a real ICE agent with one socket on the same segment, without delay.
 */
export class HandMadePeer {
  readonly cn = createMobileNode(
    {
      homeAddress: CN_HOME,
      homeAgent: { address: "2001:db8:b::1", tunnel: [CN_HOME_AGENT] },
      stunServers: [],
      sockets: [CN_SOCKET],
    },
    seededRng(7),
  );
  readonly events: NodeEvent[] = [];
  readonly sent: SentMessage[] = [];
  now = 0;
  /** Whether checks between the peer and the correspondent arrive. */
  isLinkUp = true;
  ice: IceMachine | undefined;
  #rng = seededRng(8);
  #tokens: { home?: MobilityMessageOf<"home-test">; careOf?: MobilityMessageOf<"care-of-test-ice"> } = {};
  #description: MipIceDescription | undefined;

  constructor() {
    this.cn.start(0);
    this.settle();
  }

  /** Candidates, credentials and cookie of an honest first offer, changed by the test. */
  offer(change: Partial<MipIceDescription> = {}, cookie = this.#rng.bytes(8)): void {
    const credentials = makeCredentials(this.#rng);
    const candidates = [hostCandidate(MN_SOCKET), relayedCandidate({ ip: MN_HOME, port: MN_SOCKET.port })];
    this.#description = {
      isLite: false,
      isMismatch: false,
      credentials,
      options: [],
      candidates,
      remoteCandidates: [],
      ...change,
    };
    this.ice = createIceAgent({
      profile: "ice16",
      role: "controlling",
      credentials: this.#description.credentials,
      candidates,
      startedAt: this.now,
      rng: this.#rng,
    });
    this.sendFromHome({ type: "home-test-init", homeInitCookie: new Uint8Array(8), options: [] });
    const options = encodeMipIce(this.#description);
    this.sendFromHome({ type: "care-of-test-init-ice", careOfInitCookie: cookie, options });
  }

  /** The description of the last offer, to repeat it with other cookies or credentials. */
  get description(): MipIceDescription {
    if (this.#description === undefined) throw new Error("there was no offer yet");
    return this.#description;
  }

  sendFromHome(message: MobilityMessage): void {
    this.send(message, CN_HOME_AGENT);
  }

  send(message: MobilityMessage, from: SocketAddress): void {
    this.sendHeader(encodeMobilityMessage(message, { source: MN_HOME, destination: CN_HOME }), from);
  }

  sendHeader(header: Uint8Array, from: SocketAddress): void {
    const payload = encodeMobilityPacket(header, { source: MN_HOME, destination: CN_HOME });
    this.cn.handleDatagram(this.now, { local: CN_SOCKET, remote: from, payload });
    this.settle();
  }

  /** A first offer from a new home address. */
  floodFrom(homeAddress: string): void {
    const endpoints = { source: homeAddress, destination: CN_HOME };
    const candidates = [relayedCandidate({ ip: homeAddress, port: 1 })];
    const options = encodeMipIce({ ...this.description, candidates });
    const message: MobilityMessage = {
      type: "care-of-test-init-ice",
      careOfInitCookie: this.#rng.bytes(8),
      options,
    };
    const payload = encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints);
    this.cn.handleDatagram(this.now, { local: CN_SOCKET, remote: CN_HOME_AGENT, payload });
    this.settle();
  }

  /** Sends a Binding Update with the received tokens. */
  update(choice: UpdateChoice = {}): void {
    const { home, careOf: test } = this.#tokens;
    if (home === undefined || test === undefined) throw new Error("there are no tokens yet");
    const { sequence = 1, careOf = MN_SOCKET.ip, lifetimeSec = 420, acknowledge = true, from = MN_SOCKET } = choice;
    const isDeletion = lifetimeSec === 0;
    const indices = choice.indices ?? { home: home.homeNonceIndex, careOf: test.careOfNonceIndex };
    const key =
      choice.key ?? bindingManagementKey(home.homeKeygenToken, isDeletion ? undefined : test.careOfKeygenToken);
    const message: MobilityMessageOf<"binding-update"> = {
      type: "binding-update",
      sequence,
      flags: { ...NO_FLAGS, acknowledge, homeRegistration: choice.homeRegistration ?? false },
      lifetimeSec,
      options: [
        { type: "alternate-care-of-address", address: careOf },
        ...(indices === "none" ? [] : [{ type: "nonce-indices", ...indices } as const]),
        ...encodeMipIce({
          ...this.description,
          candidates: [hostCandidate(MN_SOCKET)],
          remoteCandidates: [CN_SOCKET],
        }),
      ],
    };
    const authorization = { key, careOf: isDeletion ? MN_HOME : careOf, correspondent: CN_HOME };
    this.sendHeader(encodeAuthorized(message, { source: MN_HOME, destination: CN_HOME }, authorization), from);
  }

  /** Kbm of the received tokens. */
  get key(): Uint8Array {
    const { home, careOf } = this.#tokens;
    if (home === undefined || careOf === undefined) throw new Error("there are no tokens yet");
    return bindingManagementKey(home.homeKeygenToken, careOf.careOfKeygenToken);
  }

  /** Advances virtual time for both. */
  runFor(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = Math.min(this.cn.pollTimeout() ?? Infinity, this.ice?.pollTimeout() ?? Infinity);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      this.cn.handleTimeout(this.now);
      this.ice?.handleTimeout(this.now);
      this.settle();
    }
    this.now = until;
  }

  /** Messages of one type that the correspondent sent. */
  sentOf<Type extends MobilityMessage["type"]>(
    type: Type,
  ): (SentMessage & { readonly message: MobilityMessageOf<Type> })[] {
    return this.sent.filter(
      (sent): sent is SentMessage & { readonly message: MobilityMessageOf<Type> } => sent.message.type === type,
    );
  }

  eventsOf<Type extends NodeEvent["type"]>(type: Type): Extract<NodeEvent, { readonly type: Type }>[] {
    return this.events.filter((event): event is Extract<NodeEvent, { readonly type: Type }> => event.type === type);
  }

  settle(): void {
    for (let sent = this.cn.pollTransmit(); sent !== undefined; sent = this.cn.pollTransmit()) {
      if ((sent.payload[0] ?? 0) >> 4 === 6) this.#takePacket(sent.payload, sent.remote);
      else if (this.isLinkUp && sameSocketAddress(sent.remote, MN_SOCKET))
        this.ice?.handleStun(this.now, stunDatagram({ local: MN_SOCKET, remote: CN_SOCKET, payload: sent.payload }));
    }
    for (let event = this.cn.pollEvent(); event !== undefined; event = this.cn.pollEvent()) this.events.push(event);
    for (let sent = this.ice?.pollTransmit(); sent !== undefined; sent = this.ice?.pollTransmit()) {
      if (!this.isLinkUp || !sameSocketAddress(sent.remote, CN_SOCKET)) continue;
      this.cn.handleDatagram(this.now, { local: CN_SOCKET, remote: MN_SOCKET, payload: sent.payload });
      this.settle();
    }
  }

  #takePacket(packet: Uint8Array, to: SocketAddress): void {
    const ip = decodeIpv6Packet(packet);
    if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility || ip.value.destination !== MN_HOME) return;
    const header = new Uint8Array(ip.value.payload);
    const decoded = decodeMobilityMessage(header, ip.value);
    if (!decoded.ok || decoded.value.type === "unknown") return;
    const message = decoded.value;
    this.sent.push({ message, header, to });
    if (message.type === "home-test") this.#tokens.home = message;
    if (message.type === "care-of-test-ice") this.#takeAnswer(message);
  }

  #takeAnswer(message: MobilityMessageOf<"care-of-test-ice">): void {
    this.#tokens.careOf = message;
    const answer = decodeMipIce(message.options);
    if (answer.ok && answer.value !== undefined && !answer.value.description.isMismatch)
      this.ice?.setRemote(this.now, answer.value.description);
  }
}
