/**
 * Classifies the NAT or firewall in front of a node with one RFC 5780 server that has two addresses and two ports, from
 * five sockets with unused ports, all requests at once.
 *
 * | socket | requests | shows |
 * |---|---|---|
 * | 0 | first address and port, second address, second address and port | mapping, port preservation |
 * | 1 | an answer from the other address and port | endpoint-independent filtering |
 * | 2 | an answer from the other port | address-dependent filtering |
 * | 3, 4 | their mapped addresses, then each the other's | hairpinning |
 *
 * No answer is a result too, so the probe ends by timeout: `waitMs` after the start and after the last new answer, so
 * that a slow server is slow for every request. Requests are sent three times within `waitMs`, for links with packet
 * loss.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { Datagram, InstantMs, Rng, Transmit } from "../machine.ts";
import type { StunAttribute } from "../stun/attributes.ts";
import { BINDING, TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import { decodeStun, encodeStun, findAttribute } from "../stun/message.ts";
import { concludeObservation, type NatObservation } from "./nat-observation.ts";
import type { ProbeMachine } from "./probe-machine.ts";

/** Number of sockets that a probe needs. */
export const PROBE_SOCKETS = 5;

export interface NatProbeConfig {
  /** Five sockets on one local address, each with an unused port. */
  readonly sockets: readonly SocketAddress[];
  /** The server's first address and port, and its second address and second port. */
  readonly server: { readonly first: SocketAddress; readonly second: SocketAddress };
  /** How long silence must last to count as "no answer"; longer than the round trip to the server. */
  readonly waitMs: number;
}

const QUESTIONS = [
  "mapping-first",
  "mapping-second-address",
  "mapping-second-port",
  "filtering-address",
  "filtering-port",
  "hairpin-a",
  "hairpin-b",
  "hairpin-a-to-b",
  "hairpin-b-to-a",
] as const;

type Question = (typeof QUESTIONS)[number];

/** Requests are sent at these shares of `waitMs`. */
const SEND_SHARES = [0, 0.35, 0.7] as const;

interface Asked {
  readonly question: Question;
  readonly transmit: Transmit;
  readonly sendAt: InstantMs[];
}

type FiveSockets = readonly [SocketAddress, SocketAddress, SocketAddress, SocketAddress, SocketAddress];

export class NatProbe implements ProbeMachine<NatObservation> {
  readonly #config: NatProbeConfig;
  readonly #sockets: FiveSockets;
  readonly #rng: Rng;
  readonly #asked = new Map<string, Asked>();
  /** Mapped address of each answered request; for a hairpin request, the source it arrived from. */
  readonly #answered = new Map<Question, SocketAddress>();
  readonly #transmits: Transmit[] = [];
  #endsAt: InstantMs | undefined;
  #isCrossing = false;
  #result: NatObservation | undefined;

  /** Throws RangeError unless the configuration has five sockets. */
  constructor(config: NatProbeConfig, rng: Rng) {
    if (!isFive(config.sockets))
      throw new RangeError(`a probe needs ${PROBE_SOCKETS} sockets, not ${config.sockets.length}`);
    this.#config = config;
    this.#sockets = config.sockets;
    this.#rng = rng;
  }

  start(now: InstantMs): void {
    const { first, second } = this.#config.server;
    const [mapping, filterAddress, filterPort, hairpinA, hairpinB] = this.#sockets;
    this.#endsAt = now + this.#config.waitMs;
    this.#ask(now, "mapping-first", mapping, first);
    this.#ask(now, "mapping-second-address", mapping, { ip: second.ip, port: first.port });
    this.#ask(now, "mapping-second-port", mapping, second);
    this.#ask(now, "filtering-address", filterAddress, first, [changeRequest(true)]);
    this.#ask(now, "filtering-port", filterPort, first, [changeRequest(false)]);
    this.#ask(now, "hairpin-a", hairpinA, first);
    this.#ask(now, "hairpin-b", hairpinB, first);
    this.#sendDue(now);
  }

  handleDatagram(now: InstantMs, { local, remote, payload }: Datagram): void {
    const message = decodeStun(payload);
    const match = message.ok ? this.#asked.get(transactionKey(message.value.transactionId)) : undefined;
    if (this.#result !== undefined || !message.ok || match === undefined) return;
    const answered = this.#answered.size;
    if (message.value.class === "request") {
      if (isCrossing(match.question)) this.#answered.set(match.question, remote);
    } else if (message.value.class === "success" && sameSocketAddress(local, match.transmit.local)) {
      const mapped = findAttribute(message.value, "xor-mapped-address");
      if (mapped && cameFromWhereAsked(match, remote, this.#config.server)) this.#answered.set(match.question, mapped);
    }
    if (this.#answered.size > answered) this.#endsAt = now + this.#config.waitMs;
    this.#crossOnceMapped(now);
    if (this.#isCrossing && QUESTIONS.every((question) => this.#answered.has(question))) this.#conclude();
  }

  handleTimeout(now: InstantMs): void {
    if (this.#result !== undefined || this.#endsAt === undefined) return;
    this.#sendDue(now);
    if (now >= this.#endsAt) this.#conclude();
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollTimeout(): InstantMs | undefined {
    if (this.#result !== undefined || this.#endsAt === undefined) return undefined;
    const sends = [...this.#asked.values()].flatMap(({ question, sendAt }) =>
      this.#answered.has(question) ? [] : sendAt.slice(0, 1),
    );
    return Math.min(this.#endsAt, ...sends);
  }

  result(): NatObservation | undefined {
    return this.#result;
  }

  #ask(
    now: InstantMs,
    question: Question,
    local: SocketAddress,
    remote: SocketAddress,
    attributes: readonly StunAttribute[] = [],
  ): void {
    const transactionId = this.#rng.bytes(TRANSACTION_ID_LENGTH);
    const payload = encodeStun({ class: "request", method: BINDING, transactionId, attributes }, { fingerprint: true });
    const sendAt = SEND_SHARES.map((share) => now + share * this.#config.waitMs);
    this.#asked.set(transactionKey(transactionId), { question, transmit: { local, remote, payload }, sendAt });
  }

  #sendDue(now: InstantMs): void {
    for (const { question, transmit, sendAt } of this.#asked.values()) {
      if (this.#answered.has(question) || !isDue(sendAt, now)) continue;
      while (isDue(sendAt, now)) sendAt.shift();
      this.#transmits.push(transmit);
    }
  }

  /** The hairpin requests need the outside addresses of both sockets. */
  #crossOnceMapped(now: InstantMs): void {
    const mappedA = this.#answered.get("hairpin-a");
    const mappedB = this.#answered.get("hairpin-b");
    if (this.#isCrossing || !mappedA || !mappedB) return;
    const [, , , hairpinA, hairpinB] = this.#sockets;
    this.#isCrossing = true;
    this.#ask(now, "hairpin-a-to-b", hairpinA, mappedB);
    this.#ask(now, "hairpin-b-to-a", hairpinB, mappedA);
    this.#sendDue(now);
  }

  /** A hairpin request shows no mapped address of its receiver. */
  #mappings(): readonly { readonly localPort: number; readonly mapped: SocketAddress }[] {
    return [...this.#asked.values()].flatMap(({ question, transmit }) => {
      const mapped = isCrossing(question) ? undefined : this.#answered.get(question);
      return mapped === undefined ? [] : [{ localPort: transmit.local.port, mapped }];
    });
  }

  #conclude(): void {
    const mappedFirst = this.#answered.get("mapping-first");
    const mappedSecondAddress = this.#answered.get("mapping-second-address");
    const mappedSecondPort = this.#answered.get("mapping-second-port");
    this.#result = concludeObservation({
      local: this.#sockets[0],
      ...(mappedFirst && { mappedFirst }),
      ...(mappedSecondAddress && { mappedSecondAddress }),
      ...(mappedSecondPort && { mappedSecondPort }),
      mappings: this.#mappings(),
      passesOtherAddress: this.#answered.has("filtering-address"),
      passesOtherPort: this.#answered.has("filtering-port"),
      hairpinned: QUESTIONS.some((question) => isCrossing(question) && this.#answered.has(question)),
    });
  }
}

function isFive(sockets: readonly SocketAddress[]): sockets is FiveSockets {
  return sockets.length === PROBE_SOCKETS;
}

function isCrossing(question: Question): boolean {
  return question === "hairpin-a-to-b" || question === "hairpin-b-to-a";
}

function isDue(sendAt: readonly InstantMs[], now: InstantMs): boolean {
  return (sendAt[0] ?? Number.POSITIVE_INFINITY) <= now;
}

function changeRequest(changeIp: boolean): StunAttribute {
  return { type: "change-request", value: { changeIp, changePort: true } };
}

/** A server that ignores CHANGE-REQUEST answers from the queried address, which shows nothing about the filter. */
function cameFromWhereAsked(
  { question }: Asked,
  remote: SocketAddress,
  { first, second }: NatProbeConfig["server"],
): boolean {
  switch (question) {
    case "filtering-address":
      return sameSocketAddress(remote, second);
    case "filtering-port":
      return sameSocketAddress(remote, { ip: first.ip, port: second.port });
    default:
      return true;
  }
}
