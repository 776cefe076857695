import type { IceStats } from "../ice/ice-machine.ts";
import type { Outbox } from "../node/outbox.ts";

/** The counters of an ICE agent by the names of its node's counters; zeros are omitted. */
function iceCounters(stats: IceStats): Readonly<Record<string, number>> {
  const counters: Record<string, number> = {};
  const add = (name: string, amount: number): void => {
    if (amount > 0) counters[name] = amount;
  };
  add("checks.sent", stats.checksSent);
  add("checks.answered", stats.checksAnswered);
  add("checks.failed", stats.checksFailed);
  add("checks.retransmitted", stats.retransmits);
  add("checks.received", stats.requestsReceived);
  add("keepalives.sent", stats.keepalivesSent);
  add("consent.sent", stats.consentSent);
  add("consent.answered", stats.consentAnswered);
  add("keepalives.received", stats.indicationsReceived);
  for (const [status, amount] of Object.entries(stats.answersSent)) add(`checks.answered-with-${status}`, amount);
  for (const [reason, amount] of Object.entries(stats.dropped)) add(`dropped.check-${reason}`, amount);
  return counters;
}

/** Adds the counters of an agent that has ended to those of its node. */
export function countIce(outbox: Outbox, stats: IceStats): void {
  for (const [name, amount] of Object.entries(iceCounters(stats))) outbox.count(name, amount);
}

/** The counters of several agents together. */
export function sumOfIceCounters(all: readonly IceStats[]): Readonly<Record<string, number>> {
  const counters: Record<string, number> = {};
  for (const stats of all)
    for (const [name, amount] of Object.entries(iceCounters(stats))) counters[name] = (counters[name] ?? 0) + amount;
  return counters;
}
