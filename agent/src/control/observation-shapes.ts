/** Shapes of what probes saw. */

import type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
import type { NatObservation } from "../core/nat-probe/nat-observation.ts";
import { socketAddress } from "./event-shapes.ts";
import { boolean, type Member, number, object, oneOf, optional, type Shape, unionByType } from "./shape.ts";

const dependence = oneOf("endpoint-independent", "address-dependent", "address-and-port-dependent");

export const natObservation: Shape<NatObservation> = unionByType<NatObservation>({
  "udp-blocked": object<object>({}),
  "no-nat": object({ filtering: dependence }),
  nat: object<Omit<Member<NatObservation, "nat">, "type">>({
    mapping: optional(dependence),
    filtering: dependence,
    hairpinning: boolean,
    portPreservation: boolean,
    parityPreservation: boolean,
    mapped: socketAddress,
  }),
});

export const lifetimeObservation: Shape<LifetimeObservation> = object<LifetimeObservation>({
  aliveAfterMs: optional(number),
  goneAfterMs: optional(number),
  outboundRefresh: optional(boolean),
  inboundRefresh: optional(boolean),
});
