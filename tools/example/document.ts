/** The worked example: one run of nat-nat, every message in order, and the octets of each kind. */

import type { ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";
import { toHex } from "../../test/vectors/hex.ts";
import type { Journey } from "./journeys.ts";

const INTRODUCTION = `# An example

Section 13 of the draft promises an example. This is one: what two nodes behind port-restricted NATs, and their home
agents, said in one run of \`topologies/nat-nat.yaml\` on Linux, read from [example.pcapng](example.pcapng), the capture
of that run. The file is made by \`npm run example\`; tests hold it equal to what the capture says, and hold the flow equal
to that of a run today. To see the packets: \`tshark -r agent/example.pcapng -X lua_script:images/tools/mice.lua\`.`;

const NOTES = `A message that reaches nobody was not let in by the peer's middlebox. Both homes use the same private network and both nodes
have the same address in it, on purpose: a check of the peer's host address never leaves the node. Of data, the first
packet of each node on each way is shown.`;

/** The purpose of each kind, in the order in which a session uses them. */
const PURPOSES: Readonly<Record<string, string>> = {
  "BU in the tunnel":
    "Home registration. The home agent compares the care-of address in it with the outer source, finds a NAT, and keeps the outer source as where the node is (RFC 5555).",
  "BA in the tunnel": "The registration stands. The same two messages, later, keep the tunnel's mapping alive.",
  "data in the tunnel": "Data before any session: through both home agents.",
  "Binding request to the STUN server": "Gathering: the same socket asks how it looks from outside.",
  "Binding response to the STUN server": "The server-reflexive candidate.",
  "HoTI in the tunnel": "Return routability for the home address (RFC 6275).",
  "CoTI-ICE in the tunnel": "The offer, through both home agents, sent together with HoTI.",
  "HoT in the tunnel": "The home keygen token, for who receives at the home address.",
  "CoT-ICE in the tunnel":
    "The answer, and a care-of keygen token made for the home address (A-6). Checks start at once.",
  "check on a pair":
    "A connectivity check. The first to a mapped address opens the sender's own middlebox and dies at the other one.",
  "answer to a check on a pair":
    "It went there and back: the pair is valid. The mapped address tells which candidate the checking node was.",
  "check, through the home agents in the tunnel":
    "The check of the relayed pair: STUN in UDP between the home addresses, in the tunnel.",
  "answer to a check, through the home agents in the tunnel": "The pair that always works does.",
  "check with USE-CANDIDATE on a pair": "The offerer nominates.",
  "BU on a pair":
    "The binding, over the nominated pair. The care-of address counts because a check proved it (A-7); the updated offer names the pair.",
  "BA on a pair": "From here on data of both nodes goes straight.",
  "data on a pair": "The same IPv6 packet as before, without the home agents.",
};

export function exampleDocument(journeys: readonly Journey[], topology: ResolvedTopology): string {
  const shown = withoutRepeatedData(journeys);
  const firsts = firstOfEachKind(shown);
  const sections = [
    INTRODUCTION,
    addressTable(topology),
    "## The messages",
    NOTES,
    messageTable(shown, firsts),
    "## Octet by octet",
    "The first of each kind, as it left its node in UDP. Cookies, credentials, tokens and keys are those of the run.",
    ...firsts.map((journey) => messageSection(journey, shown.indexOf(journey) + 1)),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** A kind and its path: the subject of a section, and a step in the flow of a run. */
export function describeKind({ message: { kind, channel } }: Journey): string {
  const ways = { tunnel: "in the tunnel", pair: "on a pair", "stun-server": "to the STUN server" } as const;
  return `${kind} ${ways[channel]}`;
}

function withoutRepeatedData(journeys: readonly Journey[]): readonly Journey[] {
  const seen = new Set<string>();
  return journeys.filter((journey) => {
    const key = `${journey.from} ${describeKind(journey)}`;
    const isRepeated = journey.message.kind === "data" && seen.has(key);
    seen.add(key);
    return !isRepeated;
  });
}

function firstOfEachKind(journeys: readonly Journey[]): readonly Journey[] {
  const kinds = new Map<string, Journey>();
  for (const journey of journeys) if (!kinds.has(describeKind(journey))) kinds.set(describeKind(journey), journey);
  return [...kinds.values()];
}

function addressTable({ nodes }: ResolvedTopology): string {
  const rows = nodes.map((node) => {
    const addresses = node.interfaces.map(({ segment, ipv4 }) => `${ipv4 ?? ""} on ${segment}`);
    const home = "homeAddress" in node ? node.homeAddress : "address" in node ? node.address : "";
    return [node.name, node.role, addresses.join("<br>"), home];
  });
  return table(["node", "role", "addresses", "home address"], rows);
}

function messageTable(journeys: readonly Journey[], firsts: readonly Journey[]): string {
  const rows = journeys.map((journey, i) => {
    const number = i + 1;
    const shown = firsts.includes(journey) ? `[${number}](#${anchor(journey, number)})` : String(number);
    const { atMs, from, to = "nobody", message, legs } = journey;
    const between = legs.slice(1).map(({ by }) => by);
    return [shown, atMs.toFixed(1), from, between.join(", "), to, message.kind];
  });
  return table(["", "ms", "from", "by way of", "to", "message"], rows);
}

function messageSection(journey: Journey, number: number): string {
  const kind = describeKind(journey);
  const purpose = PURPOSES[kind];
  if (purpose === undefined) throw new Error(`the capture holds a kind of message that nothing explains: ${kind}`);
  const way = journey.legs.map(({ by, iface, source, destination }) => [by, iface, source, destination]);
  const octets = journey.message.parts.map(({ octets: part, meaning }) => `${meaning}\n${indented(part)}`);
  return [
    `### ${heading(journey, number)}`,
    purpose,
    table(["sent by", "on", "source", "destination"], way),
    `${journey.octets.length} octets in UDP:`,
    ["```", ...octets, "```"].join("\n"),
  ].join("\n\n");
}

function heading(journey: Journey, number: number): string {
  return `${number} ${describeKind(journey)}`;
}

/** The anchor that Markdown renderers derive from a heading. */
function anchor(journey: Journey, number: number): string {
  return heading(journey, number)
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}

/** Thirty-two octets per line, four per group. */
function indented(octets: Uint8Array): string {
  const lines = toHex(octets).match(/.{1,64}/g) ?? [];
  return lines.map((line) => `    ${line.replaceAll(/(.{8})(?=.)/g, "$1 ")}`).join("\n");
}

/** Padded like this repository's formatter does. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) =>
    Math.max(3, ...[name, ...rows.map((row) => row[i] ?? "")].map((cell) => cell.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
