/** Shapes of a NAT's behaviours, derived from the table of their values. */

import type { BehavioursOf, BehaviourTable } from "../core/nat/nat-profile.ts";
import { number, oneOf, type Shape } from "./shape.ts";

type BehaviourShapes<Table extends BehaviourTable> = {
  readonly [Name in keyof Table]: Shape<BehavioursOf<Table>[Name]>;
};

/** One shape per behaviour. */
export function behaviourShapes<const Table extends BehaviourTable>(table: Table): BehaviourShapes<Table> {
  const shapes = Object.entries(table).map(([name, values]) => [
    name,
    values === "number" ? number : oneOf<string | boolean>(...values),
  ]);
  // Each shape accepts exactly the values of its entry, from which BehavioursOf derives the type.
  return Object.fromEntries(shapes) as BehaviourShapes<Table>;
}
