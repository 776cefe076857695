/**
 * Measures the lifetime of an idle UDP mapping (RFC 5780 section 4.6). Each of several sockets makes a mapping and
 * stays idle for a different time. Then another socket requests from the server, with RESPONSE-PORT, an answer to that
 * mapping. An answer that arrives shows that the mapping still exists, and the request has not refreshed it.
 *
 * RFC 5780 searches with one mapping after another. Here all idle times are measured in parallel, so that the longest
 * one is the duration of the measurement.
 *
 * Two more mappings show which direction refreshes a mapping (RFC 4787 REQ-6). In the middle of an idle time longer
 * than the lifetime, one is refreshed from inside and the other from outside.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { Datagram, InstantMs, Rng, Transmit } from "../machine.ts";
import type { StunAttribute } from "../stun/attributes.ts";
import { BINDING, TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import { decodeStun, encodeStun, findAttribute } from "../stun/message.ts";
import type { ProbeMachine } from "./probe-machine.ts";

export interface LifetimeProbeConfig {
  /** The socket that sends the requests, on the same local address as the others. */
  readonly asker: SocketAddress;
  /** Sockets with unused ports, each with the treatment of its mapping. */
  readonly silences: readonly Silence[];
  /** A server that supports RESPONSE-PORT. */
  readonly server: SocketAddress;
  /** Timeout for an answer. */
  readonly waitMs: number;
}

/** How long the mapping of a socket stays idle; with a refresh, before it and again after it. */
export interface Silence {
  readonly socket: SocketAddress;
  readonly delayMs: number;
  /** One packet in the middle: from the socket, or from the server to it. */
  readonly refresh?: Refresh;
}

/** Direction of a packet that may refresh a mapping (RFC 4787 REQ-6). */
export type Refresh = "outbound" | "inbound";

/** Result of the mappings. Without any answer all fields are absent. */
export interface LifetimeObservation {
  /** The longest idle time that a mapping survived. */
  readonly aliveAfterMs?: number;
  /** The shortest idle time that one did not survive. */
  readonly goneAfterMs?: number;
  /** Whether an outbound packet refreshes a mapping; absent where not measured or not answered. */
  readonly outboundRefresh?: boolean;
  /** Whether an inbound packet does. */
  readonly inboundRefresh?: boolean;
}

/** A request is sent at these shares of `waitMs`, until it is answered. */
const SEND_SHARES = [0, 0.35, 0.7] as const;

/** One request, repeated until it is answered or times out. */
interface Question {
  readonly key: string;
  readonly transmit: Transmit;
  readonly sendAt: InstantMs[];
  readonly endsAt: InstantMs;
}

/** The states of one mapping: requested, idle, perhaps refreshed and idle again, queried, known. */
type Trial = { readonly silence: Silence } & (
  | { readonly state: "opening"; readonly question: Question }
  | {
      readonly state: "waiting";
      readonly mapped: SocketAddress;
      readonly refresh: Refresh;
      readonly refreshAt: InstantMs;
    }
  | { readonly state: "refreshing"; readonly mapped: SocketAddress; readonly question: Question }
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
    this.#trials = this.#config.silences.map((silence) => ({
      silence,
      state: "opening",
      question: this.#question(now, silence.socket, []),
    }));
    this.#advance(now);
  }

  handleDatagram(now: InstantMs, { local, payload }: Datagram): void {
    const message = decodeStun(payload);
    if (!message.ok || message.value.class !== "success") return;
    const key = transactionKey(message.value.transactionId);
    const mapped = findAttribute(message.value, "xor-mapped-address");
    this.#trials = this.#trials.map((trial) => {
      const isMeant =
        "question" in trial && trial.question.key === key && sameSocketAddress(local, trial.silence.socket);
      return isMeant ? answered(now, trial, mapped) : trial;
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
      known
        .filter((trial) => trial.silence.refresh === undefined && trial.isAlive === isAlive)
        .map(({ silence }) => silence.delayMs);
    const [alive, gone] = [delays(true), delays(false)];
    const keptBy = (refresh: Refresh) => known.find(({ silence }) => silence.refresh === refresh)?.isAlive;
    const [outboundRefresh, inboundRefresh] = [keptBy("outbound"), keptBy("inbound")];
    return {
      ...(alive.length === 0 ? {} : { aliveAfterMs: Math.max(...alive) }),
      ...(gone.length === 0 ? {} : { goneAfterMs: Math.min(...gone) }),
      ...(outboundRefresh === undefined ? {} : { outboundRefresh }),
      ...(inboundRefresh === undefined ? {} : { inboundRefresh }),
    };
  }

  #advance(now: InstantMs): void {
    this.#trials = this.#trials.map((trial) => this.#advanceTrial(now, trial));
  }

  #advanceTrial(now: InstantMs, trial: Trial): Trial {
    const { silence } = trial;
    switch (trial.state) {
      case "opening":
      case "refreshing":
      case "asked": {
        const isAlive = trial.state === "asked" ? false : undefined;
        if (now >= trial.question.endsAt) return { silence, state: "known", isAlive };
        this.#send(now, trial.question);
        return trial;
      }
      case "waiting": {
        if (now < trial.refreshAt) return trial;
        const { mapped, refresh } = trial;
        const question =
          refresh === "outbound" ? this.#question(now, silence.socket, []) : this.#questionTo(now, mapped);
        this.#send(now, question);
        return { silence, state: "refreshing", mapped, question };
      }
      case "silent": {
        if (now < trial.askAt) return trial;
        const question = this.#questionTo(now, trial.mapped);
        this.#send(now, question);
        return { silence, state: "asked", question };
      }
      case "known":
        return trial;
    }
  }

  /** A request from the querying socket whose answer goes to another socket's mapping. */
  #questionTo(now: InstantMs, mapped: SocketAddress): Question {
    return this.#question(now, this.#config.asker, [{ type: "response-port", value: mapped.port }]);
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

/** The result of a trial whose request was answered at its socket. */
function answered(
  now: InstantMs,
  trial: Extract<Trial, { readonly question: Question }>,
  mappedNow: SocketAddress | undefined,
): Trial {
  const { silence } = trial;
  const nextAt = now + silence.delayMs;
  switch (trial.state) {
    case "opening": {
      const { refresh } = silence;
      if (mappedNow === undefined) return trial;
      if (refresh !== undefined) return { silence, state: "waiting", mapped: mappedNow, refresh, refreshAt: nextAt };
      return { silence, state: "silent", mapped: mappedNow, askAt: nextAt };
    }
    case "refreshing":
      return { silence, state: "silent", mapped: trial.mapped, askAt: nextAt };
    case "asked":
      return { silence, state: "known", isAlive: true };
  }
}

function wakeUpOf(trial: Trial): readonly InstantMs[] {
  switch (trial.state) {
    case "opening":
    case "refreshing":
    case "asked":
      return [Math.min(trial.question.endsAt, ...trial.question.sendAt.slice(0, 1))];
    case "waiting":
      return [trial.refreshAt];
    case "silent":
      return [trial.askAt];
    case "known":
      return [];
  }
}
