/** A peer whose packets the test builds octet by octet: checks, answers, and the fixed candidates of SPEC 9. */

import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { IceRole } from "../../../../agent/src/core/events.ts";
import {
  hostCandidate,
  type LocalCandidate,
  type RemoteCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
} from "../../../../agent/src/core/ice/candidate.ts";
import { createIceAgent } from "../../../../agent/src/core/ice/ice-agent.ts";
import type {
  IceAgentConfig,
  IceEvent,
  IceMachine,
  RemoteDescription,
} from "../../../../agent/src/core/ice/ice-machine.ts";
import { candidatePriority } from "../../../../agent/src/core/ice/priority.ts";
import type { InstantMs, Rng, Transmit } from "../../../../agent/src/core/machine.ts";
import type { StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import type { StunClass } from "../../../../agent/src/core/stun/header.ts";
import { decodeStun, encodeStun, findAttribute, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { fromHex, fromText, toHex } from "../../../vectors/hex.ts";

/** Credentials of SPEC 8.3. */
export const CREDENTIALS_L = { ufrag: "obLD", pwd: "EBESExQVFhcYGRobHB0eHw" };
export const CREDENTIALS_R = { ufrag: "DQ4P", pwd: "QEFCQ0RFRkdISUpLTE1OTw" };

/** Addresses of SPEC 9, as seen by L. */
export const HOST_L = { ip: "10.1.0.5", port: 40001 };
export const MAPPED_L = { ip: "198.51.100.10", port: 61001 };
export const HOME_L = { ip: "2001:db8:a::100", port: 40001 };
export const HOST_R = { ip: "192.168.2.7", port: 40002 };
export const MAPPED_R = { ip: "203.0.113.20", port: 62002 };
export const HOME_R = { ip: "2001:db8:b::200", port: 40002 };

export const LOCALS: readonly LocalCandidate[] = [
  hostCandidate(HOST_L),
  serverReflexiveCandidate(MAPPED_L, HOST_L),
  relayedCandidate(HOME_L, MAPPED_L),
];
const REMOTES: readonly RemoteCandidate[] = [
  remoteCandidate("host", HOST_R),
  remoteCandidate("server-reflexive", MAPPED_R),
  remoteCandidate("relayed", HOME_R),
];
export const REMOTE: RemoteDescription = {
  credentials: CREDENTIALS_R,
  candidates: REMOTES,
  isLite: false,
  options: [],
};

export function remoteCandidate(type: RemoteCandidate["type"], address: SocketAddress): RemoteCandidate {
  return { type, address, priority: candidatePriority(type) };
}

/** Agent L of SPEC 9. */
export function agentL(config: Partial<IceAgentConfig> = {}): IceMachine {
  return createIceAgent({
    profile: "ice16",
    role: "controlling",
    credentials: CREDENTIALS_L,
    candidates: LOCALS,
    startedAt: 0,
    rng: seededRng(1),
    ...config,
  });
}

/** Pseudo-random octets determined by the seed (mulberry32). */
export function seededRng(seed: number): Rng {
  let state = seed;
  const octet = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) & 0xff;
  };
  return { bytes: (length) => Uint8Array.from({ length }, octet) };
}

/** Returns these octets first, one string per request, then zeros. */
export function scriptedRng(...hex: readonly string[]): Rng {
  const chunks = hex.map(fromHex);
  return { bytes: (length) => chunks.shift() ?? new Uint8Array(length) };
}

/** How a check of the peer differs from a valid one of R to L. */
export interface CheckOptions {
  readonly username?: string;
  /** Password for MESSAGE-INTEGRITY; undefined omits it. */
  readonly pwd?: string | undefined;
  readonly role?: IceRole;
  readonly tieBreaker?: bigint;
  readonly useCandidate?: boolean;
  /** Twelve octets, each with this value. */
  readonly transactionId?: number;
  /** Attributes to leave out, by type. */
  readonly without?: readonly StunAttribute["type"][];
  readonly extra?: readonly StunAttribute[];
}

/** A check of R to L, valid unless an option changes it. */
export function checkOfR(options: CheckOptions = {}): Uint8Array {
  const { role = "controlled", tieBreaker = 5n, username = "obLD:DQ4P", without = [], extra = [] } = options;
  const attributes: StunAttribute[] = [
    { type: "username", value: username },
    { type: "priority", value: 0x6effffff },
    { type: role === "controlling" ? "ice-controlling" : "ice-controlled", value: tieBreaker },
    ...(options.useCandidate === true ? [{ type: "use-candidate", value: true } as const] : []),
    ...extra,
  ];
  const pwd = "pwd" in options ? options.pwd : CREDENTIALS_L.pwd;
  const message: StunMessage = {
    class: "request",
    method: 1,
    transactionId: new Uint8Array(12).fill(options.transactionId ?? 7),
    attributes: attributes.filter(({ type }) => !without.includes(type)),
  };
  return encodeStun(message, { key: pwd === undefined ? undefined : fromText(pwd), fingerprint: true });
}

/** How an answer of the peer differs from a valid success response of R. */
export interface AnswerOptions {
  readonly class?: StunClass;
  readonly attributes?: readonly StunAttribute[];
  readonly pwd?: string | undefined;
  readonly mapped?: SocketAddress;
}

/** The answer of R to a check of L. */
export function answerOfR(request: Transmit, options: AnswerOptions = {}): Uint8Array {
  const { mapped = MAPPED_L } = options;
  const attributes = options.attributes ?? [{ type: "xor-mapped-address", value: mapped }];
  const pwd = "pwd" in options ? options.pwd : CREDENTIALS_R.pwd;
  const { transactionId } = decode(request.payload);
  return encodeStun(
    { class: options.class ?? "success", method: 1, transactionId, attributes },
    { key: pwd === undefined ? undefined : fromText(pwd), fingerprint: true },
  );
}

export function errorAttribute(code: number): StunAttribute {
  return { type: "error-code", value: { code, reason: "" } };
}

/** All pending transmits of the machine. */
export function transmits(machine: { pollTransmit(): Transmit | undefined }): Transmit[] {
  return drain(() => machine.pollTransmit());
}

export function events(machine: { pollEvent(): IceEvent | undefined }): IceEvent[] {
  return drain(() => machine.pollEvent());
}

/** Runs time up to and including `until`; returns what was sent, with its instant. */
export function sendsUntil(machine: IceMachine, until: InstantMs): { at: InstantMs; transmit: Transmit }[] {
  const sends: { at: InstantMs; transmit: Transmit }[] = [];
  for (let steps = 0; steps < 10_000; steps++) {
    const at = machine.pollTimeout();
    if (at === undefined || at > until) return sends;
    machine.handleTimeout(at);
    sends.push(...transmits(machine).map((transmit) => ({ at, transmit })));
  }
  throw new Error("the machine asks for time-outs without end");
}

/** Status of an answer: 200, or the code of its error. */
export function statusOf(payload: Uint8Array): number {
  const message = decode(payload);
  return message.class === "success" ? 200 : (findAttribute(message, "error-code")?.code ?? 0);
}

export function decode(payload: Uint8Array): StunMessage {
  const message = decodeStun(payload);
  if (!message.ok) throw new Error(`not STUN: ${message.error.code}`);
  return message.value;
}

/** The octets of a packet in hex; empty without a packet. */
export function hex(payload: Uint8Array | undefined): string {
  return toHex(payload ?? new Uint8Array());
}

/** Returns a value that must exist; fails the test otherwise. */
export function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("expected a value");
  return value;
}

function drain<T>(next: () => T | undefined): T[] {
  const all: T[] = [];
  for (let item = next(); item !== undefined; item = next()) all.push(item);
  return all;
}
