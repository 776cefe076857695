/** How a node's agent works: the file's keys in the words of the agent. */

import { type AgentOptions, DEFAULT_AGENT_SETTINGS } from "@testbed/agent/control";
import { agentSchema, type MobileEntry, type StationaryEntry } from "../file/schema.ts";
import { durationMs } from "../model/duration.ts";
import { given } from "./given.ts";

/** A key whose name and values are those of the agent is carried as it is. */
export function resolveAgentOptions(entry: MobileEntry | StationaryEntry): AgentOptions {
  const { lite, consent, ...same } = agentSchema.parse(entry);
  const { timers, ...defaults } = DEFAULT_AGENT_SETTINGS;
  return {
    ...defaults,
    ...given({ ...same, isLite: lite }),
    timers: consent === undefined ? {} : consentTimers(durationMs(consent)),
  };
}

/** Questions that are not answered come ten times as often, and end with twenty of them. */
function consentTimers(intervalMs: number): NonNullable<AgentOptions["timers"]> {
  return {
    consentIntervalMs: intervalMs,
    consentRetryMs: Math.max(1, Math.round(intervalMs / 10)),
    consentTimeoutMs: 2 * intervalMs,
  };
}
