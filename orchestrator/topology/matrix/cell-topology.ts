/** The topology of one cell of a matrix, as a file that can be run on its own. */

import type { MatrixMiddlebox } from "./matrix-middlebox.ts";

/** Which end makes the offer. */
export const OFFERERS = ["mn", "cn"] as const;

export type Offerer = (typeof OFFERERS)[number];

/** The text of a topology file: a mobile and a correspondent node, each behind its router. */
export function cellTopologyText(mn: MatrixMiddlebox, cn: MatrixMiddlebox, offerer: Offerer): string {
  const ends = [endOf("mn", mn), endOf("cn", cn)];
  const session = offerer === "mn" ? "{ from: mn, to: cn, traffic: ping }" : "{ from: cn, to: mn, traffic: ping }";
  return [
    `name: ${cellName(mn, cn)}`,
    `summary: A mobile node behind ${describeMiddlebox(mn)}, a correspondent node behind ${describeMiddlebox(cn)}`,
    "segments:",
    "  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }",
    ...ends.flatMap(({ segment }) => segment),
    "nodes:",
    "  ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }",
    "  ha-b: { role: home-agent, on: internet, homePrefix: 2001:db8:b::/64 }",
    ...ends.flatMap(({ nodes }) => nodes),
    "sessions:",
    `  - ${session}`,
    "",
  ].join("\n");
}

/** Both names as far as they fit: `eim-eif-x-symmetric`. */
function cellName(mn: MatrixMiddlebox, cn: MatrixMiddlebox): string {
  return [mn, cn].map(({ name }) => name.slice(0, LONGEST_HALF)).join("-x-");
}

/** A topology's name has at most 31 letters. */
const LONGEST_HALF = 14;

function describeMiddlebox({ name, entry }: MatrixMiddlebox): string {
  return entry === undefined ? "no middlebox" : name;
}

interface EndLines {
  readonly segment: readonly string[];
  readonly nodes: readonly string[];
}

const ENDS = {
  mn: { role: "mobile-node", homeAgent: "ha-a", middlebox: "nat-mn", lan: "mn-lan", publicLan: "198.18.1.0/24" },
  cn: { role: "correspondent-node", homeAgent: "ha-b", middlebox: "nat-cn", lan: "cn-lan", publicLan: "198.18.2.0/24" },
} as const;

/** Both homes use this network if a NAT hides it, as real homes do. */
const HIDDEN_LAN = "192.168.1.0/24";

/** A router that does not translate needs a LAN that is reachable from outside. */
function endOf(node: keyof typeof ENDS, { entry }: MatrixMiddlebox): EndLines {
  const { role, homeAgent, middlebox, lan, publicLan } = ENDS[node];
  const nodeLine = (on: string): string => `  ${node}: { role: ${role}, on: ${on}, homeAgent: ${homeAgent} }`;
  if (entry === undefined) return { segment: [], nodes: [nodeLine("internet")] };
  const isHidden = entry.nat !== undefined && entry.nat !== "none";
  const behaviour = Object.entries(entry).map(([key, value]) => `${key}: ${flow(value)}`);
  return {
    segment: [`  ${lan}: { ipv4: ${isHidden ? HIDDEN_LAN : publicLan} }`],
    nodes: [
      `  ${middlebox}: { ${[`role: router, wan: internet, lan: ${lan}`, ...behaviour].join(", ")} }`,
      nodeLine(lan),
    ],
  };
}

/** A value in one line, in the style of this repository's topology files. */
function flow(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key}: ${flow(inner)}`)
    .join(", ")} }`;
}
