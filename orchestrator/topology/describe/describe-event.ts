/** Events of a timeline in words. */

import { formatDuration } from "../model/duration.ts";
import type { LinkAction, RebootAction, TimelineAction } from "../model/resolved.ts";
import { describeLink } from "./describe-link.ts";

/** What happens, as one sentence without full stop. */
export function describeAction(action: TimelineAction): string {
  switch (action.type) {
    case "move":
      return `${action.node} moves to ${action.to}`;
    case "deregister":
      return `${action.node} leaves: it takes its bindings away`;
    case "reboot":
      return describeReboot(action);
    case "link":
      return describeChange(action);
  }
}

function describeReboot({ node, downMs }: RebootAction): string {
  const down = downMs === 0 ? "" : `, and lets nothing through for ${formatDuration(downMs)}`;
  return `${node} reboots: it forgets its mappings and flows${down}`;
}

function describeChange({ node, segment, impairments }: LinkAction): string {
  const isBroken = [impairments.out, impairments.in].every(({ lossRate = 0 }) => lossRate >= 1);
  const becomes = isBroken ? "breaks" : `becomes ${describeLink(impairments).join(", ")}`;
  return `the link ${node}/${segment} ${becomes}`;
}
