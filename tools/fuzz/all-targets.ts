import { DECODER_TARGETS } from "./decoder-targets.ts";
import { createLiveTargets } from "./live-targets.ts";
import { createSessionTarget } from "./session-target.ts";
import type { FuzzTarget } from "./target.ts";

/** Every target, with fresh nodes: a campaign is repeatable only on fresh ones. */
export function allTargets(): readonly FuzzTarget[] {
  return [...DECODER_TARGETS, ...createLiveTargets(), createSessionTarget()];
}
