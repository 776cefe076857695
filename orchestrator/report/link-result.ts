/** What a run's result says of the links that have a condition. */

import { type Impairment, LINK_DIRECTIONS, type LinkDirection } from "@testbed/agent/control";
import type { LabEvent } from "../lab/lab-event.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { linkName } from "../topology/resolve/links.ts";
import type { LinkResult } from "./run-result.ts";

/** One direction of the end of a segment. */
interface End {
  readonly node: string;
  readonly segment: string;
  readonly direction: LinkDirection;
}

/** Every direction with a condition, in the order of the file's nodes; the last report of a node counts. */
export function linkResults(topology: ResolvedTopology, events: readonly LabEvent[]): readonly LinkResult[] {
  return topology.nodes.flatMap(({ name: node, interfaces }) =>
    interfaces.flatMap(({ segment, impairment }) =>
      LINK_DIRECTIONS.flatMap((direction): LinkResult[] => {
        const asked = impairment?.[direction];
        return asked === undefined ? [] : [linkResult({ node, segment, direction }, asked, topology, events)];
      }),
    ),
  );
}

function linkResult(
  end: End,
  impairment: Impairment,
  topology: ResolvedTopology,
  events: readonly LabEvent[],
): LinkResult {
  const { node, segment, direction } = end;
  const last = events
    .flatMap((event) => (event.type === "links" && event.node === node ? event.links : []))
    .findLast((report) => report.segment === segment && report.direction === direction);
  return {
    link: linkName(node, segment),
    direction,
    impairment,
    changes: changesOf(end, topology, events),
    ...(last === undefined ? {} : { applied: last.applied }),
    ...(last?.counters === undefined ? {} : { counters: last.counters }),
  };
}

/** What the timeline made of it, as far as the run got. */
function changesOf(
  { node, segment, direction }: End,
  { timeline }: ResolvedTopology,
  events: readonly LabEvent[],
): LinkResult["changes"] {
  const happened = new Set(events.flatMap((event) => (event.type === "timeline" ? [event.name] : [])));
  return timeline.flatMap(({ name, action }) =>
    action.type === "link" && action.node === node && action.segment === segment && happened.has(name)
      ? [{ event: name, impairment: action.impairments[direction] }]
      : [],
  );
}
