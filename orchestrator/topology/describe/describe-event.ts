/** Events of a timeline in words. */

import { withoutLength } from "../model/address-text.ts";
import { addressesOn } from "../model/addresses-on.ts";
import { formatDuration } from "../model/duration.ts";
import { describeFirewall, describeNat, describeTcp } from "../model/presets.ts";
import type {
  ChangeAction,
  EventMoment,
  EventTrigger,
  LinkAction,
  ReaddressAction,
  RebootAction,
  ResolvedEvent,
  TimelineAction,
} from "../model/resolved.ts";
import { describeLink } from "./describe-link.ts";

/** When something happens, and what, as one line. */
export function describeTimelineEvent({ when, actions }: ResolvedEvent): string {
  return `${describeMoment(when)}: ${describeActions(actions)}`;
}

/** What happens at once. */
export function describeActions(actions: readonly TimelineAction[]): string {
  return actions.map(describeAction).join("; ");
}

/** When an event happens: `2s into the data`, `500ms after reboot`, `once the data of mn-cn is direct`. */
export function describeMoment({ after, on, plusMs }: EventMoment): string {
  const later = plusMs === 0 ? "" : `${formatDuration(plusMs)} `;
  const before = after && (after.isSettled ? `the effect of ${after.event} has settled` : after.event);
  if (on === undefined)
    return before === undefined ? `${formatDuration(plusMs)} into the data` : `${later}after ${before}`;
  const seen = `${later === "" ? "once" : `${later}after`} ${describeTrigger(on)}`;
  return before === undefined ? seen : `after ${before}, ${seen}`;
}

function describeTrigger({ session, state }: EventTrigger): string {
  switch (state) {
    case "direct":
      return `the data of ${session} is direct`;
    case "home-agents":
      return `the data of ${session} goes through the home agents`;
    case "nominated":
      return `both ends of ${session} have nominated a pair`;
    case "failed":
      return `${session} has failed`;
  }
}

/** What happens, as one sentence without full stop. */
function describeAction(action: TimelineAction): string {
  switch (action.type) {
    case "move":
      return `${action.node} moves to ${action.to.join(" and ")}`;
    case "deregister":
      return `${action.node} leaves: it takes its bindings away`;
    case "reboot":
      return describeReboot(action);
    case "forget":
      return `${action.node} forgets its mappings and flows`;
    case "readdress":
      return describeReaddress(action);
    case "change":
      return describeBehaviour(action);
    case "pause":
      return `${action.node} is paused`;
    case "resume":
      return `${action.node} goes on`;
    case "kill":
      return `the program of ${action.node} is killed`;
    case "restart":
      return `the program of ${action.node} is started again`;
    case "link":
      return describeChange(action);
  }
}

function describeReboot({ node, role, downMs }: RebootAction): string {
  const { forgets, silence } = REBOOTS[role];
  const down = downMs === 0 ? "" : `${forgets === "" ? "" : ", and"} ${silence} for ${formatDuration(downMs)}`;
  return `${node} reboots${forgets === "" && down === "" ? "" : ":"}${forgets}${down}`;
}

/** What a node has forgotten after a reboot, and what it does not do meanwhile. */
const REBOOTS = {
  router: { forgets: " it forgets its mappings and flows", silence: "lets nothing through" },
  "home-agent": { forgets: " it forgets its bindings", silence: "answers nothing" },
  "stun-server": { forgets: "", silence: "it answers nothing" },
} as const satisfies Readonly<Record<RebootAction["role"], Readonly<Record<string, string>>>>;

function describeReaddress({ node, segment, interfaces, overlapMs }: ReaddressAction): string {
  const addresses = addressesOn(interfaces, segment).map(withoutLength);
  const overlap = overlapMs === 0 ? "" : `, and keeps the old ones for ${formatDuration(overlapMs)}`;
  return `${node} gets other addresses on ${segment}: ${addresses.join(" and ")}${overlap}`;
}

function describeBehaviour({ node, nat, tcp, firewall }: ChangeAction): string {
  const parts = [
    ...(nat === undefined ? [] : [`NAT ${describeNat(nat)}`]),
    ...(nat === undefined || tcp === undefined ? [] : describeTcp(tcp, nat, firewall ?? { denied: "drop" })),
    ...(firewall === undefined ? [] : [`firewall ${describeFirewall(firewall)}`]),
  ];
  return `${node} changes to ${parts.join(", ")}`;
}

function describeChange({ node, segment, impairments }: LinkAction): string {
  const isBroken = [impairments.out, impairments.in].every(({ lossRate = 0 }) => lossRate >= 1);
  const becomes = isBroken ? "breaks" : `becomes ${describeLink(impairments).join(", ")}`;
  return `the link ${node}/${segment} ${becomes}`;
}
