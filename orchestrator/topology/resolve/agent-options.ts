/** Converts the file's agent keys to the agent's options. */

import { type AgentOptions, DEFAULT_AGENT_SETTINGS } from "@testbed/agent/control";
import { agentSchema } from "../file/schema/nodes.ts";
import type { MobileEntry, StationaryEntry } from "../file/schema.ts";
import { durationMs } from "../model/duration.ts";
import { given } from "./given.ts";

/** Keys whose name and values are those of the agent are passed unchanged. */
export function resolveAgentOptions(entry: MobileEntry | StationaryEntry): AgentOptions {
  const { lite, consent, keepalive, ...same } = agentSchema.parse(entry);
  const { timers, ...defaults } = DEFAULT_AGENT_SETTINGS;
  return {
    ...defaults,
    ...given({ ...same, isLite: lite }),
    timers: {
      ...(consent === undefined ? {} : consentTimers(Math.round(durationMs(consent)))),
      ...(keepalive === undefined ? {} : { tunnelKeepaliveMs: Math.round(durationMs(keepalive)) }),
    },
  };
}

/** Unanswered consent checks are repeated at a tenth of the interval; consent expires after twenty of them. */
function consentTimers(intervalMs: number): NonNullable<AgentOptions["timers"]> {
  return {
    consentIntervalMs: intervalMs,
    consentRetryMs: Math.max(1, Math.round(intervalMs / 10)),
    consentTimeoutMs: 2 * intervalMs,
  };
}
