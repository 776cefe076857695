/** Routes by outside segment, of routers with several. */

import type { Topology } from "../file/topology.ts";
import type { ResolvedRoute } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import type { Attachment } from "./attachment.ts";
import { assignRoutes } from "./routing.ts";
import { interfacesOf } from "./visits.ts";

/** By router, in the order of its outside segments: its routes if it had no other one. */
export function uplinksOf(
  topology: Topology,
  attachments: readonly Attachment[],
  interfaces: Interfaces,
): ReadonlyMap<string, readonly (readonly ResolvedRoute[])[]> {
  return new Map(
    [...topology.nodes.keys()].flatMap((router) => {
      const outside = attachments.filter(({ node, side }) => node === router && side === "wan");
      if (outside.length < 2) return [];
      const routes = outside.map((uplink) => {
        const fewer = attachments.filter((each) => each === uplink || !outside.includes(each));
        const left = interfacesOf(interfaces, fewer);
        return assignRoutes(topology, fewer, left, () => undefined).get(router) ?? [];
      });
      return [[router, routes] as const];
    }),
  );
}
