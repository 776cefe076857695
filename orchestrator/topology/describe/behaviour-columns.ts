/** Behaviours of a NAT as columns of a table. */

import { type BehavioursOf, type BehaviourTable, NAT_BEHAVIOURS } from "@testbed/agent/control";

export interface BehaviourColumn<Nat> {
  readonly title: string;
  readonly cell: (nat: Nat) => string;
}

/** What is known of a NAT. */
type Known<Table extends BehaviourTable> = {
  readonly [Name in keyof Table]?: BehavioursOf<Table>[Name] | undefined;
};

/** The columns of a NAT's declared behaviours. */
export const NAT_COLUMNS = behaviourColumns(NAT_BEHAVIOURS, {
  portAssignment: "ports",
  udpLifetimeSec: "UDP lifetime",
});

/** One column for each behaviour; its title is the behaviour's name unless `titles` has a shorter one. */
export function behaviourColumns<const Table extends BehaviourTable>(
  table: Table,
  titles: { readonly [Name in keyof Table]?: string },
): readonly BehaviourColumn<Known<Table>>[] {
  return Object.keys(table).map((name: keyof Table & string) => ({
    title: titles[name] ?? inWords(name),
    cell: (nat) => cellOf(name, nat[name]),
  }));
}

/** `hairpinning`: yes or no; `udpLifetimeSec`: 120 s; `mapping`: address-dependent. */
function cellOf(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return name.endsWith("Sec") ? `${value} s` : String(value);
}

/** `inbound refresh` for `inboundRefresh` */
function inWords(name: string): string {
  return name.replace(/Sec$/, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
