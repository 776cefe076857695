/** One line of text for an event of a run; none for events that only reports need. */

import { median } from "../judge/median.ts";
import { describeInboundDifference, type InboundVerification } from "../lab/inbound-verification.ts";
import type { CandidateView, LabEvent, NodeEvent, PairView } from "../lab/lab-event.ts";
import type { LifetimeVerification } from "../lab/lifetime-verification.ts";
import type { NatVerification } from "../lab/nat-verification.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import { printableLine } from "../topology/model/printable.ts";
import { describeWord } from "./describe-word.ts";
import { formatMs } from "./format-ms.ts";
import { exceededText } from "./host-text.ts";

/** The progress line for an event, without its time; undefined for events that would be noise. */
export function describeEvent(event: LabEvent): string | undefined {
  switch (event.type) {
    case "started":
      return `${event.topology} on ${event.runtime}, run ${event.runId}`;
    case "swept":
      return event.line;
    case "segments-made":
      return `segments: ${event.segments.join(", ")}`;
    case "nodes-made":
      return `nodes: ${event.nodes.join(", ")}`;
    case "node": {
      const line = describeNodeEvent(event.event);
      return line === undefined ? undefined : `${event.node}: ${printableLine(line)}`;
    }
    case "nat-verification":
      return describeVerification(event.verification);
    case "inbound-verification":
      return describeWayIn(event.verification);
    case "not-verified":
      return `${event.router}: not probed from ${event.lan}: ${event.reason}`;
    case "lifetime-verification":
      return describeLifetime(event.verification);
    case "links":
      return describeLinks(event);
    case "traffic":
      return describeTraffic(event);
    case "timeline":
      return `${event.name}: ${event.text}`;
    case "gave-up":
      return `${event.session}: no ${event.waitedFor} within ${formatMs(event.afterMs)}, waiting no longer`;
    default:
      return describeRest(event);
  }
}

function describeVerification({ router, through, ipVersion, observed, differences }: NatVerification): string {
  const middleboxes = through.length > 1 ? through.join(", then ") : router;
  const way = ipVersion === 6 ? " over IPv6" : "";
  if (differences.length === 0) return `${middleboxes}: verified as declared${way}: ${describeObservation(observed)}`;
  const found = differences.map(({ declared, observed: seen }) => `declared ${declared}, found ${seen}`);
  return `${middleboxes}: not as declared${way}: ${found.join("; ")}`;
}

function describeWayIn(verification: InboundVerification): string {
  const { router, kind, protocol, destination, target, differences } = verification;
  if (differences.length > 0)
    return differences.map((each) => describeInboundDifference(verification, each)).join("; ");
  return `${router}: verified its ${kind}: ${protocol.toUpperCase()} ${destination.port} reaches ${target.node}:${target.port}`;
}

function describeLifetime({ through, declaredSec, differences }: LifetimeVerification): string {
  const middleboxes = through.join(", then ");
  if (differences.length === 0) return `${middleboxes}: measured to keep UDP mappings for ${declaredSec} s`;
  const found = differences.map(({ declared, observed }) => `declared ${declared}, found ${observed}`);
  return `${middleboxes}: not as declared: ${found.join("; ")}`;
}

/** Printed once, when the node is ready; the final counters are in the result. */
function describeLinks({ node, links }: Extract<LabEvent, { type: "links" }>): string | undefined {
  if (links.some(({ counters }) => counters !== undefined)) return undefined;
  const ends = links.map(({ segment, direction }) => `${node}/${segment} ${direction}`);
  const isKernels = links.every(({ applied }) => applied === "netem");
  return `link impairments of ${ends.join(", ")}: ${isKernels ? "by the kernel's netem" : "from user space, this kernel has no netem"}`;
}

function describeObservation(observed: NatVerification["observed"]): string {
  switch (observed.type) {
    case "udp-blocked":
      return "UDP blocked";
    case "no-nat":
      return `no translation, filters ${observed.filtering}`;
    case "nat":
      return `maps ${observed.mapping ?? "untold"}, filters ${observed.filtering}${observed.hairpinning ? ", hairpins" : ""}`;
  }
}

function describeRest(event: LabEvent): string | undefined {
  switch (event.type) {
    case "host-started":
      return `${event.node}: started ${event.program}`;
    case "host-ready":
      return `${event.node}: ready`;
    case "host-output":
      return `${event.node}: wrote ${printableLine(event.line)}`;
    case "host-said":
      return `${event.node}: says ${describeWord(event.word)}`;
    case "host-exited":
      return `${event.node}: ended with exit code ${event.exitCode}${exceededText(event.exceeded)}`;
    case "captures-cut":
      return `captures end here: a run keeps ${event.keptOctets / 1_000_000} MB of them`;
    case "host-ended":
      return `${event.node}: ${event.isService ? "ended" : "has not ended by itself, ended"} by the testbed`;
    case "standing":
      return "the lab stands";
    case "error":
      // The whole message follows at the end, once the lab is removed.
      return `error: ${event.message.split("\n", 1)[0] ?? ""}`;
    case "kept":
      return `the lab is kept; npm run testbed down ${event.runId} removes it`;
    case "removed":
      return event.leftovers.length === 0 ? "everything removed" : event.leftovers.join("\n");
    default:
      return undefined;
  }
}

/** The text for a protocol event; undefined for repetitions such as keepalives. */
function describeNodeEvent(event: NodeEvent): string | undefined {
  return describeRegistration(event) ?? describeOffer(event) ?? describeCheck(event) ?? describeOutcome(event);
}

function describeRegistration(event: NodeEvent): string | undefined {
  switch (event.type) {
    case "registered":
      return `registered ${event.homeAddress} from ${formatEndpoint(event.careOf)}${event.natDetected ? ", behind a NAT" : ""}`;
    case "registration-failed":
      return `registration failed: ${event.reason}`;
    case "program-ended":
      return "its program has ended, and forgets everything";
    case "deregistered":
      return `bindings taken away${event.isConfirmed ? "" : ", which its home agent did not confirm"}`;
    case "binding-registered":
      return `binding ${event.homeAddress} at ${formatEndpoint(event.observed)}`;
    case "binding-removed":
      return `binding ${event.homeAddress} ${event.reason}`;
    default:
      return undefined;
  }
}

function describeOffer(event: NodeEvent): string | undefined {
  switch (event.type) {
    case "candidate":
      return `candidate ${candidateText(event.candidate)}`;
    case "mapping-changed":
      return `mapping changed: ${candidateText(event.before)} is ${formatEndpoint(event.after.address)} now`;
    case "offer-requested":
      return "Binding Refresh Request: wants an offer";
    case "offer-sent":
      return `CoTI-ICE: offer of ${candidates(event.candidates)}${event.isRestart ? " (restart)" : ""}`;
    case "answer-sent":
      return `CoT-ICE: answer of ${candidates(event.candidates)}`;
    case "check-list":
      return `${event.role}, check list of ${event.pairs.length} ${event.pairs.length === 1 ? "pair" : "pairs"}${describeCut(event.cut)}`;
    default:
      return undefined;
  }
}

function describeCut({ pairs, candidates }: Extract<NodeEvent, { type: "check-list" }>["cut"]): string {
  const parts = [
    ...(pairs === 0 ? [] : [`${pairs} more left out`]),
    ...(candidates === 0 ? [] : [`${candidates} of the peer's candidates not used`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function describeCheck(event: NodeEvent): string | undefined {
  switch (event.type) {
    case "check-sent":
      return `${event.kind} check ${pair(event.pair)}`;
    case "check-succeeded":
      return `check answered ${pair(event.pair)} in ${formatMs(event.rttMs)}`;
    case "check-failed":
      return `check failed ${pair(event.pair)}: ${event.reason}`;
    case "check-refused":
      return `check refused ${pair(event.pair)}: by ${event.by}, ${event.reason}`;
    case "peer-reflexive":
      return `learnt ${event.side} candidate ${candidateText(event.candidate)}`;
    case "role-conflict":
      return `role conflict, ${event.role} from here on`;
    default:
      return undefined;
  }
}

function describeOutcome(event: NodeEvent): string | undefined {
  switch (event.type) {
    case "nominated":
      return `nominated ${pair(event.pair)}`;
    case "session-failed":
      return `session failed: ${event.reason}`;
    case "binding-update-received":
      return `Binding Update for ${event.careOf}, status ${event.status}`;
    case "binding-accepted":
      return `binding accepted for ${event.lifetimeSec} s`;
    case "binding-rejected":
      return `binding rejected with status ${event.status}`;
    case "pair-silent":
      return `no more data and no answer, ${pair(event.pair)}: in doubt`;
    case "pair-dead":
      return `pair dead, ${pair(event.pair)}: ${describeDeath(event)}`;
    case "path":
      return event.path === "direct" ? "data goes directly" : "data goes through the home agents";
    default:
      return undefined;
  }
}

function describeDeath({ reason, silentMs }: Extract<NodeEvent, { type: "pair-dead" }>): string {
  switch (reason) {
    case "no-answer":
      return `no answer for ${formatMs(silentMs)}`;
    case "mapping-changed":
      return "a NAT on the path mapped it anew";
  }
}

function describeTraffic({ session, kind, moment, result }: Extract<LabEvent, { type: "traffic" }>): string {
  const roundTripMs = median(result.rttMs.filter((rtt) => rtt !== null));
  const way = moment === "before-ice" ? " through both home agents" : "";
  return `${session}: ${kind}${way} ${result.received} of ${result.sent}${roundTripMs === undefined ? "" : `, ${formatMs(roundTripMs)}`}`;
}

function pair({ local, remote }: PairView): string {
  return `${candidateText(local)} → ${candidateText(remote)}`;
}

/** `server-reflexive 198.18.0.4:40001` */
export function candidateText(view: CandidateView): string {
  return `${view.type} ${formatEndpoint(view.address)}`;
}

function candidates(views: readonly CandidateView[]): string {
  return `${views.length} ${views.length === 1 ? "candidate" : "candidates"}`;
}
