/**
 * One generation of a session: own credentials and candidates with the ICE agent that checks them. An ICE restart is a
 * new generation (RFC 8445 section 9).
 */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { LocalCandidate } from "../../ice/candidate.ts";
import { createIceAgent } from "../../ice/ice-agent.ts";
import type { IceCredentials, IceMachine, RemoteDescription, ValidPair } from "../../ice/ice-machine.ts";
import { isRelayed } from "../../ice/pair.ts";
import type { InstantMs } from "../../machine.ts";
import type { KeyMode } from "../../node/agent-settings.ts";
import { makeCredentials } from "../option/mip-ice-credentials.ts";
import type { MipIceDescription } from "../option/mip-ice-option.ts";
import { keyModeOptions, signalledCredentials } from "./key-mode.ts";
import type { SessionEnvironment } from "./session-environment.ts";

/** Which side's message made the generation: the offerer controls at first, and sends the Binding Update. */
export type GenerationOrigin = "offer" | "answer";

export interface Generation {
  readonly origin: GenerationOrigin;
  readonly isLite: boolean;
  readonly keys: KeyMode;
  readonly candidates: readonly LocalCandidate[];
  /** Lets the mappings of candidates age: checks are over. */
  readonly releaseCandidates: () => void;
  /** With keys from return routability, those of an offer hold nobody's password until the answer is there. */
  credentials: IceCredentials;
  ice: IceMachine;
  /** What the peer's offer or answer said; absent until it came. */
  remote: RemoteDescription | undefined;
}

/** What a generation begins with; credentials are drawn where there are none. */
export interface GenerationStart {
  readonly startedAt: InstantMs;
  readonly origin: GenerationOrigin;
  readonly candidates: readonly LocalCandidate[];
  readonly credentials?: IceCredentials;
  readonly releaseCandidates: () => void;
}

/** Makes the agent, which answers checks from here on. */
export function createGeneration(start: GenerationStart, env: SessionEnvironment): Generation {
  const { origin, candidates, releaseCandidates, credentials = makeCredentials(env.rng) } = start;
  const { isLite, keys } = env;
  const ice = createIce({ ...start, credentials }, env);
  return { origin, isLite, keys, candidates, releaseCandidates, credentials, ice, remote: undefined };
}

/** Puts an agent with this password in the place of the one that had none to tell; the fragment stays what was offered. */
export function setPassword(startedAt: InstantMs, generation: Generation, pwd: string, env: SessionEnvironment): void {
  generation.credentials = { ...generation.credentials, pwd };
  generation.ice = createIce({ ...generation, startedAt }, env);
}

function createIce(
  start: Required<GenerationStart>,
  { timers, profile, isLite, rng, pacer }: SessionEnvironment,
): IceMachine {
  const { origin, candidates, credentials, startedAt } = start;
  return createIceAgent({
    profile,
    role: origin === "offer" ? "controlling" : "controlled",
    isLite,
    credentials,
    candidates,
    startedAt,
    rng,
    pacer,
    limits: {
      nominationDelayMs: timers.nominationDelayMs,
      relayNominationDelayMs: timers.relayNominationDelayMs,
      freeDelayMs: timers.freeDelayMs,
      keepaliveMs: timers.pairKeepaliveMs,
      consentIntervalMs: timers.consentIntervalMs,
      consentRetryMs: timers.consentRetryMs,
      consentTimeoutMs: timers.consentTimeoutMs,
    },
  });
}

/** Takes the peer's description, and starts checks. */
export function setRemote(now: InstantMs, generation: Generation, remote: RemoteDescription): void {
  generation.remote = remote;
  generation.ice.setRemote(now, remote);
}

/**
 * What an offer or answer says of this generation: all candidates while checks run, the selected one alone once they
 * are complete (SPEC 2.10). An offer of the controlling side then names the selected remote candidate.
 */
export function describeGeneration(generation: Generation, kind: "offer" | "answer"): MipIceDescription {
  const { isLite, keys, credentials, candidates, ice } = generation;
  const selected = ice.state === "completed" ? ice.selectedPair() : undefined;
  const namesRemote = selected !== undefined && kind === "offer" && ice.role === "controlling";
  return {
    isLite,
    isMismatch: false,
    credentials: signalledCredentials(keys, credentials),
    options: keyModeOptions(keys),
    candidates: selected === undefined ? candidates : [selected.local],
    remoteCandidates: namesRemote ? [selected.remote.address] : [],
  };
}

/** The valid pairs that do not take a home agent on their way, nominated ones first, then best first. */
export function directPairs({ ice }: Generation): readonly ValidPair[] {
  const direct = ice.validPairs().filter((pair) => !isRelayed(pair));
  return [...direct.filter((pair) => pair.isNominated), ...direct.filter((pair) => !pair.isNominated)];
}

/** True when the peer listed this transport address among its candidates. */
export function listsCandidate({ candidates }: RemoteDescription, address: SocketAddress): boolean {
  return candidates.some((candidate) => sameSocketAddress(candidate.address, address));
}
