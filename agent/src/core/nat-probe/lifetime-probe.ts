/**
 * Measures how long a box remembers an idle UDP mapping (RFC 5780 section 4.6). Each of several sockets makes a mapping
 * and falls silent for a time of its own; then another socket asks the server, with RESPONSE-PORT, to answer to that
 * mapping. What arrives shows that the mapping is still there, and no packet of the asker has kept it alive.
 *
 * RFC 5780 searches with one mapping after another. Here every length of silence has its mapping, all at once, so that
 * the longest one is the whole time that a measurement takes.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { Datagram, InstantMs, Rng, Transmit } from "../machine.ts";
import type { StunAttribute } from "../stun/attributes.ts";
import { BINDING, TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import { decodeStun, encodeStun, findAttribute } from "../stun/message.ts";
import type { ProbeMachine } from "./probe-machine.ts";

export interface LifetimeProbeConfig {
  /** The socket that asks; on the local address of the others. */
  readonly asker: SocketAddress;
  /** Sockets with ports that have not been used before, and how long the mapping of each is left alone. */
  readonly silences: readonly { readonly socket: SocketAddress; readonly delayMs: number }[];
  /** A server that acts on RESPONSE-PORT. */
  readonly server: SocketAddress;
  /** How long an answer may take. */
  readonly waitMs: number;
}

/** What the mappings showed. With no answer at all, both fields are absent. */
export interface LifetimeObservation {
  /** The longest silence that a mapping survived. */
  readonly aliveAfterMs?: number;
  /** The shortest silence that one did not. */
  readonly goneAfterMs?: number;
}

/** A request is sent at these shares of `waitMs`, until it is answered. */
const SEND_SHARES = [0, 0.35, 0.7] as const;

/** One request that is sent again until it is answered or its time is over. */
interface Question {
  readonly key: string;
  readonly transmit: Transmit;
  readonly sendAt: InstantMs[];
  readonly endsAt: InstantMs;
}

/** The life of one mapping: asked for, left alone, asked about, known. */
type Trial = {
  readonly socket: SocketAddress;
  readonly delayMs: number;
} & (
  | { readonly state: "opening"; readonly question: Question }
  | { readonly state: "silent"; readonly mapped: SocketAddress; readonly askAt: InstantMs }
  | { readonly state: "asked"; readonly question: Question }
  | { readonly state: "known"; readonly isAlive: boolean | undefined }
);

export class LifetimeProbe implements ProbeMachine<LifetimeObservation> {
  readonly #config: LifetimeProbeConfig;
  readonly #rng: Rng;
  readonly #transmits: Transmit[] = [];
  #trials: readonly Trial[] = [];
  #isStarted = false;

  constructor(config: LifetimeProbeConfig, rng: Rng) {
    this.#config = config;
    this.#rng = rng;
  }

  start(now: InstantMs): void {
    this.#isStarted = true;
    this.#trials = this.#config.silences.map(({ socket, delayMs }) => ({
      socket,
      delayMs,
      state: "opening",
      question: this.#question(now, socket, []),
    }));
    this.#advance(now);
  }

  handleDatagram(now: InstantMs, { local, payload }: Datagram): void {
    const message = decodeStun(payload);
    if (!message.ok || message.value.class !== "success") return;
    const key = transactionKey(message.value.transactionId);
    const mapped = findAttribute(message.value, "xor-mapped-address");
    this.#trials = this.#trials.map((trial) => {
      if (!("question" in trial) || trial.question.key !== key || !sameSocketAddress(local, trial.socket)) return trial;
      const { socket, delayMs } = trial;
      if (trial.state === "asked") return { socket, delayMs, state: "known", isAlive: true };
      if (mapped === undefined) return trial;
      return { socket, delayMs, state: "silent", mapped, askAt: now + delayMs };
    });
    this.#advance(now);
  }

  handleTimeout(now: InstantMs): void {
    if (this.#isStarted) this.#advance(now);
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollTimeout(): InstantMs | undefined {
    const wakeUps = this.#trials.flatMap(wakeUpOf);
    return wakeUps.length === 0 ? undefined : Math.min(...wakeUps);
  }

  result(): LifetimeObservation | undefined {
    if (!this.#isStarted) return undefined;
    const known = this.#trials.flatMap((trial) => (trial.state === "known" ? [trial] : []));
    if (known.length < this.#trials.length) return undefined;
    const delays = (isAlive: boolean): number[] =>
      known.filter((trial) => trial.isAlive === isAlive).map(({ delayMs }) => delayMs);
    const [alive, gone] = [delays(true), delays(false)];
    return {
      ...(alive.length === 0 ? {} : { aliveAfterMs: Math.max(...alive) }),
      ...(gone.length === 0 ? {} : { goneAfterMs: Math.min(...gone) }),
    };
  }

  #advance(now: InstantMs): void {
    this.#trials = this.#trials.map((trial) => this.#advanceTrial(now, trial));
  }

  #advanceTrial(now: InstantMs, trial: Trial): Trial {
    const { socket, delayMs } = trial;
    switch (trial.state) {
      case "opening":
      case "asked": {
        const isAlive = trial.state === "asked" ? false : undefined;
        if (now >= trial.question.endsAt) return { socket, delayMs, state: "known", isAlive };
        this.#send(now, trial.question);
        return trial;
      }
      case "silent": {
        if (now < trial.askAt) return trial;
        const responsePort: StunAttribute = { type: "response-port", value: trial.mapped.port };
        const question = this.#question(now, this.#config.asker, [responsePort]);
        this.#send(now, question);
        return { socket, delayMs, state: "asked", question };
      }
      case "known":
        return trial;
    }
  }

  #question(now: InstantMs, local: SocketAddress, attributes: readonly StunAttribute[]): Question {
    const { server, waitMs } = this.#config;
    const transactionId = this.#rng.bytes(TRANSACTION_ID_LENGTH);
    const payload = encodeStun({ class: "request", method: BINDING, transactionId, attributes }, { fingerprint: true });
    return {
      key: transactionKey(transactionId),
      transmit: { local, remote: server, payload },
      sendAt: SEND_SHARES.map((share) => now + share * waitMs),
      endsAt: now + waitMs,
    };
  }

  #send(now: InstantMs, { transmit, sendAt }: Question): void {
    if ((sendAt[0] ?? Number.POSITIVE_INFINITY) > now) return;
    while ((sendAt[0] ?? Number.POSITIVE_INFINITY) <= now) sendAt.shift();
    this.#transmits.push(transmit);
  }
}

function wakeUpOf(trial: Trial): readonly InstantMs[] {
  switch (trial.state) {
    case "opening":
    case "asked":
      return [Math.min(trial.question.endsAt, ...trial.question.sendAt.slice(0, 1))];
    case "silent":
      return [trial.askAt];
    case "known":
      return [];
  }
}
