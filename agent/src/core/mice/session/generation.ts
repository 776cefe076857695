/**
 * One generation of a session: credentials, candidates, and the ICE agent that checks them. An ICE restart is a new
 * generation (RFC 8445 section 9).
 */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { LocalCandidate } from "../../ice/candidate.ts";
import { createIceAgent } from "../../ice/ice-agent.ts";
import type { IceCredentials, IceMachine, RemoteDescription, ValidPair } from "../../ice/ice-machine.ts";
import { isRelayed } from "../../ice/pair.ts";
import type { InstantMs } from "../../machine.ts";
import type { KeyMode } from "../../node/agent-settings.ts";
import { fittingCandidates } from "../option/fitting-candidates.ts";
import { makeCredentials } from "../option/mip-ice-credentials.ts";
import type { MipIceDescription } from "../option/mip-ice-option.ts";
import { keyModeOptions, signalledCredentials } from "./key-mode.ts";
import type { SessionEnvironment } from "./session-environment.ts";

/** Which message made the generation: the offerer controls at first, and sends the Binding Update. */
export type GenerationOrigin = "offer" | "answer";

export interface Generation {
  readonly origin: GenerationOrigin;
  readonly isLite: boolean;
  readonly keys: KeyMode;
  readonly candidates: readonly LocalCandidate[];
  /** Stops the refreshes of the candidates' mappings: checks are over. */
  readonly releaseCandidates: () => void;
  /** With keys from return routability, the offerer's contain no valid password before the answer. */
  credentials: IceCredentials;
  ice: IceMachine;
  /** The peer's offer or answer; absent until it has arrived. */
  remote: RemoteDescription | undefined;
}

/** Start of a generation; credentials are drawn if absent. */
export interface GenerationStart {
  readonly startedAt: InstantMs;
  readonly origin: GenerationOrigin;
  readonly candidates: readonly LocalCandidate[];
  readonly credentials?: IceCredentials;
  readonly releaseCandidates: () => void;
}

/** Makes the agent, which answers checks from now on. */
export function createGeneration(start: GenerationStart, env: SessionEnvironment): Generation {
  const { origin, candidates, releaseCandidates, credentials = makeCredentials(env.rng) } = start;
  const { isLite, keys } = env;
  const ice = createIce({ ...start, credentials }, env);
  return { origin, isLite, keys, candidates, releaseCandidates, credentials, ice, remote: undefined };
}

/** Replaces the agent by one with this password; the ufrag remains the offered one. */
export function setPassword(startedAt: InstantMs, generation: Generation, pwd: string, env: SessionEnvironment): void {
  generation.credentials = { ...generation.credentials, pwd };
  generation.ice = createIce({ ...generation, startedAt }, env);
}

function createIce(
  start: Required<GenerationStart>,
  { timers, profile, isLite, rng, pacer, refusals }: SessionEnvironment,
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
    refusals,
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
 * The description of this generation: the candidates that fit into a message while checks run, only the selected one
 * when they are complete (SPEC 2.10). An offer of the controlling side then contains the selected remote candidate.
 */
export function describeGeneration(generation: Generation, kind: "offer" | "answer"): MipIceDescription {
  const { isLite, keys, credentials, candidates, ice } = generation;
  const selected = ice.state === "completed" ? ice.selectedPair() : undefined;
  const namesRemote = selected !== undefined && kind === "offer" && ice.role === "controlling";
  const options = keyModeOptions(keys);
  return {
    isLite,
    isMismatch: false,
    credentials: signalledCredentials(keys, credentials),
    options,
    candidates: selected === undefined ? fittingCandidates(candidates, options) : [selected.local],
    remoteCandidates: namesRemote ? [selected.remote.address] : [],
  };
}

/** The valid pairs without a home agent on their path, nominated ones first, then best first. */
export function directPairs({ ice }: Generation): readonly ValidPair[] {
  const direct = ice.validPairs().filter((pair) => !isRelayed(pair));
  return [...direct.filter((pair) => pair.isNominated), ...direct.filter((pair) => !pair.isNominated)];
}

/** True when the peer listed this transport address among its candidates. */
export function listsCandidate({ candidates }: RemoteDescription, address: SocketAddress): boolean {
  return candidates.some((candidate) => sameSocketAddress(candidate.address, address));
}
