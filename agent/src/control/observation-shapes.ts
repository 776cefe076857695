/** Shapes of probe results. */

import type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
import { type NatObservation, OBSERVED_BEHAVIOURS, type ObservedNat } from "../core/nat-probe/nat-observation.ts";
import { behaviourShapes } from "./behaviour-shapes.ts";
import { socketAddress } from "./event-shapes.ts";
import { array, boolean, number, object, optional, type Shape, string, unionByType } from "./shape.ts";

const observed = behaviourShapes(OBSERVED_BEHAVIOURS);

export const natObservation: Shape<NatObservation> = unionByType<NatObservation>({
  "udp-blocked": object<object>({}),
  "no-nat": object({ filtering: observed.filtering }),
  nat: object<Omit<ObservedNat, "type">>({
    ...observed,
    mapping: optional(observed.mapping),
    mapped: socketAddress,
    furtherAddresses: optional(array(string)),
  }),
});

export const lifetimeObservation: Shape<LifetimeObservation> = object<LifetimeObservation>({
  aliveAfterMs: optional(number),
  goneAfterMs: optional(number),
  outboundRefresh: optional(boolean),
  inboundRefresh: optional(boolean),
});
