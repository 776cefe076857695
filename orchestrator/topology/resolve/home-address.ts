/** Addresses in home prefixes: of home agents, and the home addresses of their mobile nodes. */

import type { Report } from "../file/issue-list.ts";
import type { HomeAgentEntry, MobileEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { addressAt, canonicalText, contains, type Network, offsetIn, parseNetwork } from "../model/address-text.ts";

/** Default offsets in the home prefix of the home agent and of its first mobile node. */
const HOME_AGENT_OFFSET = 1n;
const FIRST_HOME_OFFSET = 0x100n;

/** A home agent's address in its home prefix. */
export function homeAgentAddress({ address, homePrefix }: HomeAgentEntry): string {
  return address === undefined ? addressAt(parseNetwork(homePrefix), HOME_AGENT_OFFSET) : canonicalText(address);
}

/** Reports a home agent's address that is outside of its home prefix, or that no node can have. */
export function checkHomeAgentAddress(name: string, { address, homePrefix }: HomeAgentEntry, report: Report): void {
  if (address === undefined) return;
  const problem = placeProblem(parseNetwork(homePrefix), address, `the home prefix ${homePrefix}`);
  if (problem !== undefined) report("bad-address", ["nodes", name, "address"], problem);
}

/**
 * The home addresses of mobile nodes by name: from the file, or else the next free one from `::100` of the home prefix.
 * One outside of the prefix, or of another node, is reported. Nodes whose home agent is none have no entry.
 */
export function assignHomeAddresses(topology: Topology, report: Report): ReadonlyMap<string, string> {
  const mobiles = [...topology.nodes].filter((item): item is [string, MobileEntry] => "homeAgent" in item[1]);
  const families = Map.groupBy(mobiles, ([, { homeAgent }]) => homeAgent);
  return new Map([...families].flatMap(([name, nodes]) => assignIn(topology, name, nodes, report)));
}

function assignIn(
  topology: Topology,
  name: string,
  nodes: readonly (readonly [string, MobileEntry])[],
  report: Report,
): readonly (readonly [string, string])[] {
  const homeAgent = topology.nodes.get(name);
  if (homeAgent?.role !== "home-agent") return [];
  const home: Home = { name, homeAgent, prefix: parseNetwork(homeAgent.homePrefix) };
  const given = nodes.flatMap(([node, { homeAddress }]) =>
    homeAddress === undefined ? [] : [{ node, address: canonicalText(homeAddress) }],
  );
  const owners = new Map([
    ...given.map(({ node, address }) => [address, node] as const),
    [homeAgentAddress(homeAgent), name],
  ]);
  for (const { node, address } of given) checkGiven(home, { name: node, address, owner: owners.get(address) }, report);
  const unnamed = nodes.flatMap(([node, { homeAddress }]) => (homeAddress === undefined ? [node] : []));
  const free = freeAddresses(home.prefix, owners, unnamed.length);
  // The prefix is reported once, for the first node that finds no address.
  const beyond = free.findIndex((address) => !contains(home.prefix, address));
  const [homeless] = beyond === -1 ? [] : unnamed.slice(beyond);
  if (homeless !== undefined) reportFull(home, homeless, report);
  return [
    ...given.map(({ node, address }) => [node, address] as const),
    ...unnamed.map((node, i) => [node, free[i] ?? "::"] as const),
  ];
}

interface Home {
  readonly name: string;
  readonly homeAgent: HomeAgentEntry;
  readonly prefix: Network;
}

function checkGiven(
  { name: home, homeAgent, prefix }: Home,
  { name, address, owner }: { readonly name: string; readonly address: string; readonly owner: string | undefined },
  report: Report,
): void {
  const path = ["nodes", name, "homeAddress"];
  const problem = placeProblem(prefix, address, `the home prefix ${homeAgent.homePrefix} of ${home}`);
  if (problem !== undefined) report("bad-address", path, problem);
  else if (owner !== undefined && owner !== name)
    report("duplicate", path, `expected a home address of its own; found ${address}, which ${owner} has; change one`);
}

/** Why no node can have an address: outside of the prefix, or its subnet-router anycast (RFC 4291 section 2.6.1). */
function placeProblem(prefix: Network, address: string, prefixText: string): string | undefined {
  if (!contains(prefix, address)) return `expected an address inside ${prefixText}; found ${address}`;
  if (offsetIn(prefix, address) === 0n)
    return `expected an address of one node inside ${prefixText}; found ${address}, the subnet-router anycast address`;
  return undefined;
}

function reportFull({ name: home, homeAgent }: Home, name: string, report: Report): void {
  report(
    "bad-address",
    ["nodes", home, "homePrefix"],
    `expected a home prefix with room for home addresses, which count from ::100 in it; found ${homeAgent.homePrefix}; write a shorter one, or give ${name} a \`homeAddress\``,
  );
}

function freeAddresses(prefix: Network, taken: ReadonlyMap<string, string>, count: number): readonly string[] {
  const free: string[] = [];
  for (let offset = FIRST_HOME_OFFSET; free.length < count; offset += 1n) {
    const address = addressAt(prefix, offset);
    if (!taken.has(address)) free.push(address);
  }
  return free;
}
