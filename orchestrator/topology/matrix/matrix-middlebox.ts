/** The NATs and firewalls that a matrix may put in front of a node, by name. */

import { NAT_DEPENDENCES } from "@testbed/agent/control";
import { nearestName } from "../file/nearest-name.ts";
import type { RouterEntry } from "../file/schema.ts";
import { DEPENDENCE_ABBREVIATIONS, FIREWALL_PRESET_NAMES, NAT_PRESET_NAMES } from "../model/presets.ts";

/** A NAT, a firewall, or none. */
export interface MatrixMiddlebox {
  readonly name: string;
  /** Its keys in a topology file; absent for a node on the internet itself. */
  readonly entry?: Pick<RouterEntry, "nat" | "firewall">;
}

/** `eim-eif` … `apdm-apdf`: the nine mapping and filtering behaviours of RFC 4787, mapping by mapping. */
export const NINE_BEHAVIOURS: readonly MatrixMiddlebox[] = NAT_DEPENDENCES.flatMap((mapping) =>
  NAT_DEPENDENCES.map((filtering) => ({
    name: `${DEPENDENCE_ABBREVIATIONS[mapping]}m-${DEPENDENCE_ABBREVIATIONS[filtering]}f`.toLowerCase(),
    entry: { nat: { mapping, filtering } },
  })),
);

/** All of them: the nine, the presets of NATs and of firewalls, and none. */
export const MATRIX_MIDDLEBOXES: readonly MatrixMiddlebox[] = [
  ...NINE_BEHAVIOURS,
  ...NAT_PRESET_NAMES.map((nat) => ({ name: nat, entry: { nat } })),
  ...FIREWALL_PRESET_NAMES.map((firewall) => ({ name: firewall, entry: { firewall } })),
  { name: "none" },
];

export type MiddleboxLookup =
  | { readonly ok: true; readonly middleboxes: readonly MatrixMiddlebox[] }
  | { readonly ok: false; readonly unknown: readonly string[]; readonly advice: string };

/** The middleboxes of these names, each once, in their order. */
export function findMiddleboxes(names: readonly string[]): MiddleboxLookup {
  const known = MATRIX_MIDDLEBOXES.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  const [first] = unknown;
  if (first !== undefined) {
    const near = nearestName(first, known);
    const advice = near === undefined ? `there are: ${known.join(", ")}` : `did you mean ${near}?`;
    return { ok: false, unknown, advice };
  }
  const wanted = new Set(names);
  return {
    ok: true,
    middleboxes: [...wanted].flatMap((name) => MATRIX_MIDDLEBOXES.filter((middlebox) => middlebox.name === name)),
  };
}
