/** Routers with several outside segments, of which each packet takes one. */

import type { ResolvedRouter } from "./resolved.ts";

/** Cached, as the routes of a node are: a prediction asks for each thousands of times. */
const known = new WeakMap<ResolvedRouter, Map<string, ResolvedRouter>>();

/** The router as it is for packets that leave by one of its outside interfaces: without the others. */
export function byUplink(router: ResolvedRouter, uplink: string | undefined): ResolvedRouter {
  const routes = uplink === undefined ? undefined : router.uplinks[router.wan.indexOf(uplink)];
  if (uplink === undefined || routes === undefined) return router;
  const ofRouter = known.get(router) ?? new Map<string, ResolvedRouter>();
  known.set(router, ofRouter);
  const isOther = (name: string): boolean => name !== uplink && router.wan.includes(name);
  const interfaces = router.interfaces.filter(({ interfaceName }) => !isOther(interfaceName));
  const found = ofRouter.get(uplink) ?? { ...router, interfaces, routes };
  ofRouter.set(uplink, found);
  return found;
}
