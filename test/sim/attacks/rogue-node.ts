/**
 * A mobile node that implements the whole protocol and obeys none of it. It registers like any other node at the home
 * agent of the correspondent's peer, and puts into offers, checks and Binding Updates whatever the test requires.
 */

import { addressToBytes, type SocketAddress } from "../../../agent/src/core/address.ts";
import type { CandidateType } from "../../../agent/src/core/events.ts";
import { encodeCheck, readCheck } from "../../../agent/src/core/ice/check-message.ts";
import type { IceCredentials } from "../../../agent/src/core/ice/ice-machine.ts";
import { makeCredentials } from "../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import {
  decodeMipIce,
  encodeMipIce,
  type MipIceDescription,
} from "../../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeIpv6Packet, encodeIpv6Packet, NEXT_HEADER } from "../../../agent/src/core/mip6/ipv6-packet.ts";
import {
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  type MobilityMessageOf,
  NO_FLAGS,
} from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import type { MobilityOption } from "../../../agent/src/core/mip6/options.ts";
import {
  bindingManagementKey,
  encodeAuthorized,
  isAuthorized,
} from "../../../agent/src/core/mip6/return-routability.ts";
import type { StunMessage } from "../../../agent/src/core/stun/message.ts";
import { encodeCheckSuccess } from "../../../agent/src/core/stun/reply.ts";
import { seededRng } from "../../../agent/src/testing/index.ts";
import { type Attacker, stunOf } from "./attacker.ts";

/** Its home address, in the home prefix of the mobile node. */
export const ROGUE_HOME = "2001:db8:a::666";
const HOME_AGENT = "2001:db8:a::1";
const TUNNEL: SocketAddress = { ip: "198.18.0.2", port: 4191 };

/** A candidate in a rogue offer. */
export interface ClaimedCandidate {
  readonly type: CandidateType;
  readonly address: SocketAddress;
}

/** The tokens from an offer exchange. */
export interface RogueTokens {
  readonly home: MobilityMessageOf<"home-test">;
  readonly careOf: MobilityMessageOf<"care-of-test-ice">;
}

/** A Binding Update of the rogue; omitted fields have correct values. */
export interface ClaimedUpdate {
  readonly careOf: string;
  readonly sequence: number;
  readonly homeIndex?: number;
  readonly careOfIndex?: number;
  readonly key?: Uint8Array;
}

export class RogueNode {
  readonly socket: SocketAddress;
  /** Mobility messages received through the tunnel. */
  readonly received: { readonly message: MobilityMessage; readonly header: Uint8Array }[] = [];
  /** Whether checks of the peer are answered. */
  answersChecks = false;
  readonly #attacker: Attacker;
  readonly #peer: string;
  readonly #rng = seededRng(666);
  #credentials: IceCredentials;

  constructor(attacker: Attacker, peer: string) {
    this.#attacker = attacker;
    this.#peer = peer;
    this.socket = { ip: attacker.ip, port: 7000 };
    this.#credentials = makeCredentials(this.#rng);
    attacker.onArrival = (packet) => {
      if (packet.kind !== "udp") return;
      const message = stunOf(packet);
      if (message !== undefined) this.#takeCheck(message, packet.source);
      else this.#takeTunnelled(packet.payload);
    };
  }

  get credentials(): IceCredentials {
    return this.#credentials;
  }

  /** Makes the next offer a restart. */
  renewCredentials(): void {
    this.#credentials = makeCredentials(this.#rng);
  }

  /** Registers at the home agent, which otherwise forwards nothing from it. */
  register(): void {
    const update: MobilityMessage = {
      type: "binding-update",
      sequence: 1,
      flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
      lifetimeSec: 600,
      options: [{ type: "ipv4-care-of-address", address: this.socket.ip }],
    };
    this.#tunnel(encodeMobilityMessage(update, endpointsTo(HOME_AGENT)), HOME_AGENT);
  }

  /** Sends a mobility message to the peer through the home agents. */
  say(message: MobilityMessage): void {
    this.sayHeader(encodeMobilityMessage(message, endpointsTo(this.#peer)));
  }

  sayHeader(header: Uint8Array): void {
    this.#tunnel(header, this.#peer);
  }

  /** Sends a mobility message for another home address, by a Home Address option. */
  sayAs(homeAddress: string, message: MobilityMessage): void {
    const header = encodeMobilityMessage(message, { source: homeAddress, destination: this.#peer });
    // Next header, length 2 units more, PadN of 4, Home Address option (8n+6).
    const options = [NEXT_HEADER.mobility, 2, 1, 2, 0, 0, 0xc9, 16, ...addressToBytes(homeAddress)];
    const packet = encodeIpv6Packet({
      source: ROGUE_HOME,
      destination: this.#peer,
      nextHeader: NEXT_HEADER.destinationOptions,
      payload: new Uint8Array([...options, ...header]),
    });
    this.#attacker.send(this.socket, TUNNEL, packet);
  }

  /** HoTI and CoTI-ICE with these candidates; the home address is included, so that there is no mismatch. */
  offer(claimed: readonly ClaimedCandidate[]): void {
    this.say({ type: "home-test-init", homeInitCookie: this.#rng.bytes(8), options: [] });
    this.say(this.offerWith(encodeMipIce(this.describe(claimed))));
  }

  /** A CoTI-ICE with these options. */
  offerWith(options: readonly MobilityOption[]): MobilityMessageOf<"care-of-test-init-ice"> {
    return { type: "care-of-test-init-ice", careOfInitCookie: this.#rng.bytes(8), options };
  }

  describe(claimed: readonly ClaimedCandidate[]): MipIceDescription {
    const home: ClaimedCandidate = { type: "relayed", address: { ip: ROGUE_HOME, port: this.socket.port } };
    const candidates = [...claimed, home].map((candidate, i) => ({ ...candidate, priority: 0x7effffff - i * 0x10000 }));
    const { credentials } = this;
    return { isLite: false, isMismatch: false, credentials, options: [], candidates, remoteCandidates: [] };
  }

  /** The received messages of one type. */
  all<T extends MobilityMessage["type"]>(type: T): readonly MobilityMessageOf<T>[] {
    return this.received.flatMap(({ message }) => (isOfType(message, type) ? [message] : []));
  }

  /** Tokens of the latest answer; throws if there was none. */
  tokens(): RogueTokens {
    const home = this.all("home-test").at(-1);
    const careOf = this.all("care-of-test-ice").at(-1);
    if (home === undefined || careOf === undefined) throw new Error("the peer did not answer the offer");
    return { home, careOf };
  }

  /** The peer's credentials from its answer. */
  peerCredentials(): IceCredentials {
    const answer = decodeMipIce(this.tokens().careOf.options);
    if (!answer.ok || answer.value === undefined) throw new Error("the answer carries no MIP-ICE option");
    return answer.value.description.credentials;
  }

  /** Sends an authenticated check to the peer, from any source. */
  check(to: SocketAddress, options: { readonly from?: SocketAddress; readonly useCandidate?: boolean } = {}): void {
    this.#attacker.send(options.from ?? this.socket, to, this.encodeCheck(options.useCandidate));
  }

  /** A check with the peer's credentials and a new transaction ID. */
  encodeCheck(useCandidate = false): Uint8Array {
    const peer = this.peerCredentials();
    const claim = { role: "controlling", tieBreaker: 1n } as const;
    const username = `${peer.ufrag}:${this.credentials.ufrag}`;
    return encodeCheck(
      this.#rng.bytes(12),
      username,
      { priority: 0x7effffff, claim, useCandidate },
      octetsOf(peer.pwd),
    );
  }

  /** Kbm of the latest tokens. */
  bindingKey(): Uint8Array {
    const { home, careOf } = this.tokens();
    return bindingManagementKey(home.homeKeygenToken, careOf.careOfKeygenToken);
  }

  /** Sends a Binding Update to the peer through the home agents. */
  update(claimed: ClaimedUpdate): void {
    const { home, careOf: careOfToken } = this.tokens();
    const message: MobilityMessageOf<"binding-update"> = {
      type: "binding-update",
      sequence: claimed.sequence,
      flags: { ...NO_FLAGS, acknowledge: true },
      lifetimeSec: 420,
      options: [
        { type: "alternate-care-of-address", address: claimed.careOf },
        {
          type: "nonce-indices",
          home: claimed.homeIndex ?? home.homeNonceIndex,
          careOf: claimed.careOfIndex ?? careOfToken.careOfNonceIndex,
        },
      ],
    };
    const authorization = { key: claimed.key ?? this.bindingKey(), careOf: claimed.careOf, correspondent: this.#peer };
    this.sayHeader(encodeAuthorized(message, endpointsTo(this.#peer), authorization));
  }

  /** Status of every Binding Acknowledgement of the peer so far, and whether its authenticator is valid. */
  acknowledgements(careOf: string): readonly string[] {
    return this.received.flatMap(({ message, header }) => {
      if (message.type !== "binding-acknowledgement") return [];
      const isSigned = isAuthorized(header, { key: this.bindingKey(), careOf, correspondent: this.#peer });
      return [`${message.status} sequence ${message.sequence}${isSigned ? " signed" : ""}`];
    });
  }

  #tunnel(header: Uint8Array, destination: string): void {
    this.#attacker.send(this.socket, TUNNEL, encodeMobilityPacket(header, endpointsTo(destination)));
  }

  #takeTunnelled(payload: Uint8Array): void {
    const ip = decodeIpv6Packet(payload);
    if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility || ip.value.source === HOME_AGENT) return;
    const message = decodeMobilityMessage(ip.value.payload, ip.value);
    if (message.ok && message.value.type !== "unknown")
      this.received.push({ message: message.value, header: ip.value.payload });
  }

  #takeCheck(message: StunMessage, from: SocketAddress): void {
    if (!this.answersChecks || message.class !== "request" || readCheck(message) === undefined) return;
    this.#attacker.send(this.socket, from, encodeCheckSuccess(message, from, octetsOf(this.credentials.pwd)));
  }
}

function endpointsTo(destination: string): { readonly source: string; readonly destination: string } {
  return { source: ROGUE_HOME, destination };
}

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function isOfType<T extends MobilityMessage["type"]>(
  message: MobilityMessage,
  type: T,
): message is MobilityMessageOf<T> {
  return message.type === type;
}
