/** The schema of a NAT's behaviours, derived from the table of their values. */

import type { BehavioursOf, BehaviourTable } from "@testbed/agent/control";
import * as z from "zod";

type BehaviourFields<Table extends BehaviourTable> = {
  [Name in keyof Table]: z.ZodType<BehavioursOf<Table>[Name]>;
};

/** One field for each behaviour. */
export function behaviourFields<const Table extends BehaviourTable>(table: Table): BehaviourFields<Table> {
  const fields = Object.entries(table).map(([name, values]) => [name, fieldOf(values)]);
  // Each field takes exactly the values of its entry, from which BehavioursOf derives the type.
  return Object.fromEntries(fields) as BehaviourFields<Table>;
}

function fieldOf(values: BehaviourTable[string]): z.ZodType {
  if (values === "number") return z.number();
  const words = values.filter((value) => typeof value === "string");
  return words.length === 0 ? z.boolean() : z.enum(words);
}
