/** Measures how long the NATs of a lab keep idle UDP mappings. */

import type { ProbePlan, VerificationProbe } from "../plan/probe-plan.ts";
import { TestbedError } from "../support/errors.ts";
import { type LifetimeVerification, lifetimeDifferences } from "./lifetime-verification.ts";
import { describeDifference } from "./nat-verification.ts";
import type { VerificationLab } from "./verify-routers.ts";

/** How far beyond the declared lifetime is measured. */
const MARGIN = 1.2;

/** The share of the lifetime that a refreshed mapping is idle, twice: together longer than the lifetime. */
const REFRESH_SHARE = 0.7;

/** Distance from the declared lifetime to the two idle times nearest to it. */
const PRECISION_MS = 500;

/**
 * How long an answer may take: a retransmission within this time still counts for the same idle time. Shorter than
 * `PRECISION_MS`, and therefore not scaled for slow machines.
 */
const WAIT_MS = 400;

/** Duration of the measurement, milliseconds: 1.4 times the longest lifetime. Zero where no mapping expires. */
export function lifetimeDurationMs({ probes }: ProbePlan): number {
  const lifetimesSec = probes.flatMap(({ lifetimeSec }) => lifetimeSec ?? []);
  return Math.max(0, ...lifetimesSec.map((sec) => sec * 1000 * 2 * REFRESH_SHARE + 3 * WAIT_MS));
}

/**
 * Leaves mappings idle behind every NAT, all at once; throws `behaviour-mismatch` where one expires sooner or later
 * than declared.
 */
export async function measureLifetimes({ probes }: ProbePlan, lab: VerificationLab): Promise<void> {
  const isFirstOfLan = ({ router, lan, ipVersion }: VerificationProbe, i: number): boolean =>
    probes.findIndex((other) => other.router === router && other.lan === lan && other.ipVersion === ipVersion) === i;
  const forgetful = probes.filter(isFirstOfLan).flatMap((probe) => {
    const { expected, lifetimeSec } = probe;
    return expected.type === "udp-blocked" || lifetimeSec === undefined ? [] : [{ probe, lifetimeSec }];
  });
  const verifications = await Promise.all(forgetful.map(({ probe, lifetimeSec }) => measure(probe, lifetimeSec, lab)));
  const lines = verifications.flatMap((verification) =>
    verification.differences.map((difference) => describeDifference(verification, difference)),
  );
  if (lines.length > 0) throw new TestbedError("behaviour-mismatch", lines.join("\n"));
}

async function measure(
  probe: VerificationProbe,
  lifetimeSec: number,
  { link, recorder }: VerificationLab,
): Promise<LifetimeVerification> {
  const { router, lan, through, node, ipVersion, local, inboundRefresh, server, seed, roundTrip } = probe;
  const asked = link(node);
  if (asked === undefined) throw new Error(`a probe from ${node}, which was never started`);
  const silencesMs = silences(lifetimeSec);
  const refreshSilenceMs = Math.round(lifetimeSec * 1000 * REFRESH_SHARE);
  const waitMs = WAIT_MS + Math.ceil(roundTrip.addedMs);
  const request = { local, server: server.first, silencesMs, refreshSilenceMs, waitMs, seed };
  const observed = await asked.probeLifetime({ type: "probe-lifetime", ...request });
  const declared = { declaredSec: lifetimeSec, ...(inboundRefresh === undefined ? {} : { inboundRefresh }) };
  const differences = lifetimeDifferences(declared, observed);
  const verification = { router, lan, through, node, ipVersion, ...declared, observed, differences };
  recorder.add({ type: "lifetime-verification", verification });
  return verification;
}

/**
 * Tenths of the lifetime up to 1.2 of it, and both sides of its end; at exactly the lifetime the result would be
 * random.
 */
function silences(lifetimeSec: number): readonly number[] {
  const lifetimeMs = lifetimeSec * 1000;
  const tenths = Array.from({ length: MARGIN * 10 }, (_, i) => (lifetimeMs * (i + 1)) / 10);
  const around = [lifetimeMs - PRECISION_MS, lifetimeMs + PRECISION_MS];
  const isClear = (ms: number): boolean => Math.abs(ms - lifetimeMs) >= PRECISION_MS;
  return [...new Set([...tenths.filter(isClear), ...around].map(Math.round))].sort((a, b) => a - b);
}
