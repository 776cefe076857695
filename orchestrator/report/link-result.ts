/** What a run's result says of the links that have a condition. */

import type { LabEvent } from "../lab/lab-event.ts";
import { linkName } from "../topology/links.ts";
import type { ResolvedTopology } from "../topology/resolved.ts";
import type { LinkResult } from "./run-result.ts";

/** Every direction with a condition, in the order of the file's nodes; the last report of a node counts. */
export function linkResults({ nodes }: ResolvedTopology, events: readonly LabEvent[]): readonly LinkResult[] {
  const reports = events.flatMap((event) =>
    event.type === "links" ? event.links.map((link) => ({ node: event.node, link })) : [],
  );
  return nodes.flatMap((node) =>
    node.interfaces.flatMap(({ segment, condition }) =>
      (["out", "in"] as const).flatMap((direction): LinkResult[] => {
        const asked = condition?.[direction];
        if (asked === undefined) return [];
        const last = reports.findLast(
          (report) =>
            report.node === node.name && report.link.segment === segment && report.link.direction === direction,
        )?.link;
        return [
          {
            link: linkName(node.name, segment),
            direction,
            condition: asked,
            ...(last === undefined ? {} : { applied: last.applied }),
            ...(last?.counters === undefined ? {} : { counters: last.counters }),
          },
        ];
      }),
    ),
  );
}
