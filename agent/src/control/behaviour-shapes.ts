/** Shapes of the behaviours of a NAT, made from the table that lists their values. */

import type { BehavioursOf, BehaviourTable } from "../core/nat/nat-profile.ts";
import { number, oneOf, type Shape } from "./shape.ts";

type BehaviourShapes<Table extends BehaviourTable> = {
  readonly [Name in keyof Table]: Shape<BehavioursOf<Table>[Name]>;
};

/** One shape for each behaviour. */
export function behaviourShapes<const Table extends BehaviourTable>(table: Table): BehaviourShapes<Table> {
  const shapes = Object.entries(table).map(([name, values]) => [
    name,
    values === "number" ? number : oneOf<string | boolean>(...values),
  ]);
  // Each shape takes just the values that its entry lists, of which BehavioursOf makes the type.
  return Object.fromEntries(shapes) as BehaviourShapes<Table>;
}
