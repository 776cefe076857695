/** Has datagrams sent from outside to forwards and pinholes, and listens inside for those that arrive. */

import { setTimeout as sleep } from "node:timers/promises";
import type { HeardDatagram } from "@testbed/agent/control";
import type { InboundProbe } from "../plan/inbound-probe-plan.ts";
import type { AgentLink } from "./agent-link.ts";
import { concludeInbound, type InboundVerification, marksOf } from "./inbound-verification.ts";

/** What a probe from outside needs from a lab. */
export interface InboundLab {
  readonly link: (node: string) => AgentLink | undefined;
  /** Resolves when every node of the lab has been started. */
  readonly allStarted: () => Promise<void>;
}

/** Verifies one forward or pinhole: retries, with the timeout of the next attempt, while nothing arrives. */
export async function verifyInbound(
  probe: InboundProbe,
  waitsMs: readonly number[],
  lab: InboundLab,
): Promise<InboundVerification> {
  let verification = concludeInbound(probe, [], 0);
  for (const [attempt, waitMs] of waitsMs.entries()) {
    if (attempt > 0) await lab.allStarted();
    verification = concludeInbound(
      probe,
      await tryOnce(probe, waitMs + Math.ceil(probe.roundTrip.addedMs), lab),
      attempt + 1,
    );
    if (!verification.differences.some(({ isSilence }) => isSilence)) break;
  }
  return verification;
}

/** Datagrams are repeated at these shares of the wait: the first may be sent before the target listens. */
const SEND_SHARES = [0, 0.15, 0.35, 0.7] as const;

/**
 * The datagram that must not arrive is sent first each time. Nothing on the path reorders packets, so the arrival of
 * the other one ends the attempt.
 */
async function tryOnce(probe: InboundProbe, waitMs: number, lab: InboundLab): Promise<readonly HeardDatagram[]> {
  const [sender, target] = [linkOf(lab, probe.from.node), linkOf(lab, probe.target.node)];
  const { open, closed } = marksOf(probe);
  const { protocol, destination, closedPort, from } = probe;
  const marks = [
    ...(closedPort === undefined ? [] : [{ to: { ...destination, port: closedPort }, mark: closed }]),
    { to: destination, mark: open },
  ];
  const over = new AbortController();
  const sending = (async (): Promise<void> => {
    let sentAt = 0;
    for (const share of SEND_SHARES) {
      await sleep(share * waitMs - sentAt, undefined, { signal: over.signal });
      sentAt = share * waitMs;
      await sender.sendMarks({ type: "send-marks", protocol, local: from.ip, marks });
    }
  })();
  const stopped = sending.catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  const listening = target.sniff({
    type: "sniff",
    protocol,
    local: probe.target.ip,
    marks: [open, closed],
    awaited: open,
    waitMs,
  });
  try {
    return await Promise.race([listening, stopped.then(() => listening)]);
  } finally {
    over.abort();
    await stopped;
  }
}

function linkOf({ link }: InboundLab, node: string): AgentLink {
  const found = link(node);
  if (found === undefined) throw new Error(`a probe by ${node}, which was never started`);
  return found;
}
