/**
 * Settings of the agent of a mobile, correspondent or stationary node. The object is passed unchanged from the topology
 * file to the machine: a new setting needs its key in the file, its shape on the control channel, and the code that
 * uses it.
 */

/** Pacing and retransmission profiles of the checks (SPEC 2.3 and A-37). */
export const ICE_PROFILES = ["ice16", "rfc8445"] as const;

export type IceProfile = (typeof ICE_PROFILES)[number];

/** `signalled`: passwords are in offer and answer. `rr`: they are derived from Kbm, which takes both keygen tokens. */
export const KEY_MODES = ["signalled", "rr"] as const;

export type KeyMode = (typeof KEY_MODES)[number];

export interface AgentSettings {
  readonly profile: IceProfile;
  /** A lite agent answers checks and sends none; for nodes with a global address (SPEC 2.12). */
  readonly isLite: boolean;
  /** How both ends get the keys of the checks' MACs. */
  readonly keys: KeyMode;
  readonly timers: NodeTimers;
}

/** Settings that differ from the defaults. */
export interface AgentOptions extends Partial<Omit<AgentSettings, "timers">> {
  readonly timers?: Partial<NodeTimers>;
}

/** Timers of SPEC 8.7 in milliseconds. */
export interface NodeTimers {
  readonly nominationDelayMs: number;
  readonly relayNominationDelayMs: number;
  readonly freeDelayMs: number;
  readonly pairKeepaliveMs: number;
  /** Mean time between two consent checks of the selected pair (RFC 7675); 0 sends none. */
  readonly consentIntervalMs: number;
  /** Time between consent checks while they are not answered, > 0. */
  readonly consentRetryMs: number;
  /** How long consent checks stay unanswered until the pair is dead and ICE restarts. */
  readonly consentTimeoutMs: number;
  /** Longest time between two questions to the home agent that keep the tunnel's mapping; > 0. */
  readonly tunnelKeepaliveMs: number;
  /** First timeout for the answer to HoTI, CoTI-ICE and a BU to a correspondent; doubles up to the longest one. */
  readonly mobilityFirstTimeoutMs: number;
  readonly mobilityMaxTimeoutMs: number;
  /** How long keygen tokens may be used. */
  readonly tokenLifetimeMs: number;
  /** Longest lifetime of a binding with a correspondent, requested and granted. */
  readonly bindingLifetimeMs: number;
  /** How long a BU is held while the pair it names is still being checked. */
  readonly bindingHoldMs: number;
}

/** Timers are the defaults of SPEC 8.7. */
export const DEFAULT_AGENT_SETTINGS: AgentSettings = {
  profile: "ice16",
  isLite: false,
  keys: "signalled",
  timers: {
    nominationDelayMs: 100,
    relayNominationDelayMs: 2000,
    freeDelayMs: 3000,
    pairKeepaliveMs: 15_000,
    consentIntervalMs: 5000,
    consentRetryMs: 500,
    consentTimeoutMs: 10_000,
    tunnelKeepaliveMs: 25_000,
    mobilityFirstTimeoutMs: 1000,
    mobilityMaxTimeoutMs: 32_000,
    tokenLifetimeMs: 210_000,
    bindingLifetimeMs: 420_000,
    bindingHoldMs: 2000,
  },
};

/** These settings, completed with the defaults. */
export function agentSettings(options: AgentOptions = {}): AgentSettings {
  const timers = { ...DEFAULT_AGENT_SETTINGS.timers, ...options.timers };
  return { ...DEFAULT_AGENT_SETTINGS, ...options, timers };
}
