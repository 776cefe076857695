/** The impaired links of a run, for its result. */

import { type Impairment, LINK_DIRECTIONS, type LinkDirection } from "@testbed/agent/control";
import type { LabEvent } from "../lab/lab-event.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { linkName } from "../topology/resolve/links.ts";
import type { LinkResult } from "./run-result.ts";

/** One direction of a link. */
interface End {
  readonly node: string;
  readonly segment: string;
  readonly direction: LinkDirection;
}

/** Every impaired direction, in the order of the file's nodes; a node's last report counts. */
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

/** Changes by the timeline, as far as the run got. */
function changesOf(
  { node, segment, direction }: End,
  { timeline }: ResolvedTopology,
  events: readonly LabEvent[],
): LinkResult["changes"] {
  const happened = new Set(events.flatMap((event) => (event.type === "timeline" ? [event.name] : [])));
  return timeline.flatMap(({ name, actions }) =>
    actions.flatMap((action) =>
      action.type === "link" && action.node === node && action.segment === segment && happened.has(name)
        ? [{ event: name, impairment: action.impairments[direction] }]
        : [],
    ),
  );
}
