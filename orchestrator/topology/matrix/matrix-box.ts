/** The boxes that a matrix may put in front of a node, by name. */

import type { NatDependence } from "@testbed/agent/control";
import { nearestName } from "../file/nearest-name.ts";
import type { RouterEntry } from "../file/schema.ts";
import { FIREWALL_PRESET_NAMES, NAT_PRESET_NAMES } from "../model/presets.ts";

/** A box, or no box at all. */
export interface MatrixBox {
  readonly name: string;
  /** What a topology file says of it; absent for a node that stands on the internet itself. */
  readonly entry?: Pick<RouterEntry, "nat" | "firewall">;
}

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

const SHORT: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "ei",
  "address-dependent": "ad",
  "address-and-port-dependent": "apd",
};

/** `eim-eif` … `apdm-apdf`: the nine mapping and filtering behaviours of RFC 4787, mapping by mapping. */
export const NINE_BOXES: readonly MatrixBox[] = DEPENDENCE.flatMap((mapping) =>
  DEPENDENCE.map((filtering) => ({
    name: `${SHORT[mapping]}m-${SHORT[filtering]}f`,
    entry: { nat: { mapping, filtering } },
  })),
);

/** Every box that has a name: the nine, the presets of address translation and of firewalls, and none. */
export const MATRIX_BOXES: readonly MatrixBox[] = [
  ...NINE_BOXES,
  ...NAT_PRESET_NAMES.map((nat) => ({ name: nat, entry: { nat } })),
  ...FIREWALL_PRESET_NAMES.map((firewall) => ({ name: firewall, entry: { firewall } })),
  { name: "none" },
];

export type BoxLookup =
  | { readonly ok: true; readonly boxes: readonly MatrixBox[] }
  | { readonly ok: false; readonly unknown: readonly string[]; readonly advice: string };

/** The boxes of these names, each once, in their order. */
export function findBoxes(names: readonly string[]): BoxLookup {
  const known = MATRIX_BOXES.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  const [first] = unknown;
  if (first !== undefined) {
    const near = nearestName(first, known);
    const advice = near === undefined ? `there are: ${known.join(", ")}` : `did you mean ${near}?`;
    return { ok: false, unknown, advice };
  }
  const wanted = new Set(names);
  return { ok: true, boxes: [...wanted].flatMap((name) => MATRIX_BOXES.filter((box) => box.name === name)) };
}
