/** Resolves what a file expects of its sessions and hosts. */

import type { ExpectationEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import type { HostExpectation, ResolvedExpectation, SessionExpectation } from "../model/resolved.ts";
import { inOrder, namesAfter } from "./timeline-order.ts";

/** What holds after a repeated event is expected each time. An entry that names nothing has been reported. */
export function resolveExpectations(topology: Topology): readonly ResolvedExpectation[] {
  const occurrences = inOrder(topology);
  return topology.expectations.flatMap(({ path, entry }): readonly ResolvedExpectation[] => {
    const resolved = resolveExpectation(entry, `${topology.file}:${topology.locate(path).line}`);
    if (resolved === undefined) return [];
    if (entry.after === undefined) return [resolved];
    return namesAfter(occurrences, entry.after).map((after) => ({ ...resolved, after }));
  });
}

function resolveExpectation(entry: ExpectationEntry, source: string): ResolvedExpectation | undefined {
  if (entry.session !== undefined) return ofSession(entry.session, entry, source);
  return entry.host === undefined ? undefined : ofHost(entry.host, entry, source);
}

function ofHost(host: string, { exit, output, within }: ExpectationEntry, source: string): HostExpectation {
  return {
    ...{ host, source },
    ...(exit === undefined ? {} : { exit: typeof exit === "number" ? [exit] : exit }),
    ...(output === undefined ? {} : { output }),
    ...(within === undefined ? {} : { withinMs: durationMs(within) }),
  };
}

function ofSession(session: string, entry: ExpectationEntry, source: string): SessionExpectation {
  return {
    ...{ session, source },
    ...resolveMoment(entry),
    ...(entry.path === undefined ? {} : { path: entry.path }),
    ...(entry.selected === undefined ? {} : { selected: entry.selected }),
    ...(entry.roundTrip === undefined ? {} : { roundTripWithinMs: durationMs(entry.roundTrip) }),
    ...(entry.lost === undefined ? {} : { maxLost: entry.lost }),
  };
}

/** The time limits of an expectation, which depend on whether it is about an event. */
function resolveMoment({ after, within, outage }: ExpectationEntry): Partial<SessionExpectation> {
  const withinMs = within === undefined ? undefined : durationMs(within);
  if (after === undefined) return withinMs === undefined ? {} : { nominatedWithinMs: withinMs };
  return {
    ...(withinMs === undefined ? {} : { restoredWithinMs: withinMs }),
    ...(outage === undefined ? {} : { maxOutageMs: durationMs(outage) }),
  };
}
