/** Verifies that every NAT and firewall of a lab behaves as declared. */

import { setTimeout as sleep } from "node:timers/promises";
import type { InboundProbe } from "../plan/inbound-probe-plan.ts";
import { type ProbePlan, portsOf, type VerificationProbe } from "../plan/probe-plan.ts";
import { TestbedError } from "../support/errors.ts";
import type { AgentLink } from "./agent-link.ts";
import { describeInboundDifference, type InboundVerification } from "./inbound-verification.ts";
import type { LabEvent } from "./lab-event.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import {
  describeDifference,
  differencesOf,
  differencesOfRivals,
  type NatVerification,
  type Observed,
} from "./nat-verification.ts";
import type { Recorder } from "./recorder.ts";
import { verifyInbound } from "./verify-inbound.ts";

/** What verification needs from a lab. */
export interface VerificationLab {
  readonly recorder: Recorder;
  readonly timeouts: LabTimeouts;
  readonly link: (node: string) => AgentLink | undefined;
}

/**
 * Sends each probe as soon as the nodes on its path are ready, and records the observations. Throws
 * `behaviour-mismatch` with every difference once all are done.
 */
export async function verifyRouters({ probes, inbound, notProbed }: ProbePlan, lab: VerificationLab): Promise<void> {
  const [verifications, inboundVerifications] = await Promise.all([
    Promise.all(byLan(probes).map((rivals) => verifyLan(rivals, lab))),
    Promise.all(inbound.map((probe) => verifyInboundEntry(probe, lab))),
  ]);
  for (const unprobed of notProbed) lab.recorder.add({ type: "not-verified", ...unprobed });
  rejectMismatches([...verifications.flat().flatMap(complaints), ...inboundVerifications.flatMap(inboundComplaints)]);
}

async function verifyInboundEntry(probe: InboundProbe, lab: VerificationLab): Promise<InboundVerification> {
  await untilReady(probe, lab);
  const allStarted = (): Promise<void> => untilAllStarted(lab);
  const verification = await verifyInbound(probe, waitsOf([probe], lab.timeouts), { link: lab.link, allStarted });
  lab.recorder.add({ type: "inbound-verification", verification });
  return verification;
}

/** How long silence must last, per attempt. Where links lose packets silence means less: more attempts. */
function waitsOf(
  probes: readonly Pick<VerificationProbe, "roundTrip">[],
  { probeSilenceMs, lossyProbeSilenceMs }: LabTimeouts,
): readonly number[] {
  const isLossy = probes.some(({ roundTrip }) => roundTrip.lossRate > 0);
  return isLossy ? [...probeSilenceMs, ...lossyProbeSilenceMs] : probeSilenceMs;
}

function byLan(probes: readonly VerificationProbe[]): readonly (readonly VerificationProbe[])[] {
  const lans = new Map<string, VerificationProbe[]>();
  for (const probe of probes) {
    const key = `${probe.router} ${probe.lan} ${probe.ipVersion}`;
    lans.set(key, [...(lans.get(key) ?? []), probe]);
  }
  return [...lans.values()];
}

/**
 * Delay of the second of two hosts that use the same ports. With two processors the kernel's NAT handles two packets at
 * once: within microseconds, both may find a port free.
 */
const RIVAL_DELAY_MS = 20;

async function verifyLan(
  rivals: readonly VerificationProbe[],
  lab: VerificationLab,
): Promise<readonly NatVerification[]> {
  const { observed, attempts } = await observeTogether(rivals, lab);
  const betweenRivals = differencesOfRivals(observed);
  return observed.map(({ probe, observed: seen }) => {
    const { router, lan, through, node, server, ipVersion, expected } = probe;
    const differences = [...differencesOf({ probe, observed: seen }), ...betweenRivals];
    const where = { router, lan, through, node, server: server.node, ipVersion };
    const verification: NatVerification = { ...where, expected, observed: seen, differences, attempts };
    lab.recorder.add({ type: "nat-verification", verification });
    return verification;
  });
}

/** All hosts of a LAN repeat their probes together: they conflict only on the same ports. */
async function observeTogether(
  rivals: readonly VerificationProbe[],
  lab: VerificationLab,
): Promise<{ readonly observed: readonly Observed[]; readonly attempts: number }> {
  await Promise.all(rivals.map((probe) => untilReady(probe, lab)));
  const waitsMs = waitsOf(rivals, lab.timeouts);
  let observed: readonly Observed[] = [];
  for (const [attempt, waitMs] of waitsMs.entries()) {
    if (attempt > 0) await untilAllStarted(lab);
    observed = await Promise.all(
      rivals.map((probe, i) => observe(probe, lab, { attempt, waitMs, delayMs: i * RIVAL_DELAY_MS })),
    );
    const isDoubtful = observed.some((each) => differencesOf(each).some(({ isSilence }) => isSilence));
    if (!isDoubtful) return { observed, attempts: attempt + 1 };
  }
  return { observed, attempts: waitsMs.length };
}

async function observe(
  probe: VerificationProbe,
  lab: VerificationLab,
  { attempt, waitMs, delayMs }: { readonly attempt: number; readonly waitMs: number; readonly delayMs: number },
): Promise<Observed> {
  await sleep(delayMs);
  const link = lab.link(probe.node);
  if (link === undefined) throw new Error(`a probe from ${probe.node}, which was never started`);
  const { local, server, seed, roundTrip } = probe;
  const { first, second } = server;
  const observed = await link.probe({
    type: "probe",
    local,
    ports: portsOf(probe.firstPort, attempt),
    server: { first, second },
    waitMs: waitMs + Math.ceil(roundTrip.addedMs),
    seed,
  });
  return { probe, observed };
}

async function untilReady(
  { needs }: Pick<VerificationProbe, "needs">,
  { recorder, timeouts }: VerificationLab,
): Promise<void> {
  await recorder.until(
    (events) => needs.every((node) => events.some((event) => event.type === "node-ready" && event.node === node)),
    timeouts.probedNodesMs,
  );
}

async function untilAllStarted({ recorder, timeouts }: VerificationLab): Promise<void> {
  const isStarted = (events: readonly LabEvent[]): boolean =>
    events.some((event) => event.type === "phase-ended" && event.phase === "start");
  await recorder.until(isStarted, timeouts.probedNodesMs);
}

function complaints(verification: NatVerification): readonly string[] {
  const { node, lan, ipVersion, differences } = verification;
  return differences.map(
    (difference) => `${describeDifference(verification, difference)} (asked by ${node} on ${lan} over IPv${ipVersion})`,
  );
}

function inboundComplaints(verification: InboundVerification): readonly string[] {
  return verification.differences.map((difference) => describeInboundDifference(verification, difference));
}

function rejectMismatches(lines: readonly string[]): void {
  if (lines.length === 0) return;
  throw new TestbedError("behaviour-mismatch", lines.join("\n"), {
    hint: "the lab is not what its file says, and no agent was judged in it; rules/ of the results holds what was loaded",
  });
}
