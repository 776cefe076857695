/** Assigns MAC and IP addresses: those set in the file, and the others in the order of the file. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { addressAt, canonicalText, type Family, type Network, parseNetwork, sizeOf } from "../model/address-text.ts";
import { forbiddenReason } from "../model/forbidden.ts";
import type { ResolvedInterface } from "../model/resolved.ts";
import { ownerProblem, placeProblem } from "./address-problem.ts";
import type { Attachment } from "./attachment.ts";
import { countedPools, firstOfPool, listedPools, poolPath } from "./nat-pools.ts";

/** The interfaces of every node by name, in the order of its attachments. */
export type Interfaces = ReadonlyMap<string, readonly ResolvedInterface[]>;

/**
 * Assigns addresses to every attachment. In each network `.1` belongs to the first router whose LAN it is; every other
 * node gets the first free address from `.2` on, in the order of declaration. IPv6 counts the same way. The second
 * addresses of STUN servers are the last ones of the network.
 */
export function assignAddresses(
  topology: Topology,
  attachments: readonly Attachment[],
  names: ReadonlyMap<string, string>,
  report: Report,
): Interfaces {
  const context = { topology, attachments, report };
  const addresses = new Map<Attachment, AssignedAddresses>();
  for (const segment of topology.segments.keys()) {
    checkRoom(context, segment);
    for (const family of [4, 6] as const) {
      const key = `ipv${family}` as const;
      const { own, alternate, pools } = assignInSegment(context, segment, family);
      for (const [attachment, address] of own)
        addresses.set(attachment, { ...addresses.get(attachment), [key]: address });
      for (const [attachment, pool] of pools) addresses.set(attachment, { ...addresses.get(attachment), pool });
      for (const [attachment, address] of alternate) {
        const assigned = addresses.get(attachment);
        addresses.set(attachment, { ...assigned, alternate: { ...assigned?.alternate, [key]: address } });
      }
    }
  }
  const macs = assignMacs(context);
  const interfaces = new Map<string, ResolvedInterface[]>([...topology.nodes.keys()].map((node) => [node, []]));
  for (const attachment of attachments) {
    const { node, segment } = attachment;
    const interfaceName = names.get(segment) ?? segment;
    interfaces
      .get(node)
      ?.push({ segment, interfaceName, mac: macs.get(attachment) ?? "", ...addresses.get(attachment) });
  }
  return interfaces;
}

/** Most nodes on a segment: an engine's network has room for no more (`runtime/docker/segment-subnet.ts`). */
const MOST_ON_SEGMENT = 61;

function checkRoom({ attachments, report }: Context, segment: string): void {
  const here = attachments.filter((attachment) => attachment.segment === segment);
  if (here.length <= MOST_ON_SEGMENT) return;
  const message = `expected at most ${MOST_ON_SEGMENT} nodes on a segment, those that move there counted; found ${here.length}; divide it`;
  report("bad-value", ["segments", segment], message, "key");
}

type AssignedAddresses = Pick<ResolvedInterface, "ipv4" | "ipv6" | "alternate" | "pool">;

interface Context {
  readonly topology: Topology;
  readonly attachments: readonly Attachment[];
  readonly report: Report;
}

/** Addresses of one IP version on one segment, with prefix length: of every node, and second ones of STUN servers. */
interface SegmentAddresses {
  readonly own: ReadonlyMap<Attachment, string>;
  readonly alternate: ReadonlyMap<Attachment, string>;
  /** Further ones of NATs; routers with one are missing. */
  readonly pools: ReadonlyMap<Attachment, readonly string[]>;
}

/** None if the segment has no network of that IP version. */
function assignInSegment(context: Context, segment: string, family: Family): SegmentAddresses {
  const text = context.topology.segments.get(segment)?.[`ipv${family}`];
  const here = context.attachments.filter((attachment) => attachment.segment === segment);
  if (text === undefined) {
    refuseFixedAddresses(context, here, segment, family);
    return { own: new Map(), alternate: new Map(), pools: new Map() };
  }
  const reason = forbiddenReason(text);
  if (reason !== undefined)
    context.report("forbidden-address", ["segments", segment, `ipv${family}`], `expected a free network; ${reason}`);
  const network = parseNetwork(text);
  const listed = family === 4 ? listedPools(context, here, network) : new Map<Attachment, readonly string[]>();
  const reserved = new Map([...listed].flatMap(([{ node }, pool]) => pool.map((address) => [address, node] as const)));
  const fixed = fixedAddresses(context, here, network, reserved);
  const own = assignFree(context, here, network, fixed, new Set(reserved.keys()));
  const servers = here.filter(({ node }) => isStunServer(context.topology, node));
  const alternate = alternateAddresses(network, servers, new Set(own.values()));
  const taken = new Set([...own.values(), ...alternate.values(), ...reserved.keys()]);
  const counted = family === 4 ? countedPools(context, here, network, taken) : new Map<Attachment, readonly string[]>();
  const withLength = (addresses: ReadonlyMap<Attachment, string>): ReadonlyMap<Attachment, string> =>
    new Map([...addresses].map(([attachment, address]) => [attachment, `${address}/${network.length}`]));
  const pools = new Map(
    [...listed, ...counted].map(
      ([attachment, pool]) => [attachment, pool.map((address) => `${address}/${network.length}`)] as const,
    ),
  );
  return { own: withLength(own), alternate: withLength(alternate), pools };
}

function isStunServer({ nodes }: Topology, node: string): boolean {
  const role = nodes.get(node)?.role;
  return role === "home-agent" || role === "stun-server";
}

/** Where second addresses start: at the network's end, or 64 Ki from its start in a longer one. */
const ALTERNATE_SPAN = 0x10000n;

/** Second addresses count down from the far end, so that they shift no other address; none if nothing is free. */
function alternateAddresses(
  network: Network,
  servers: readonly Attachment[],
  taken: ReadonlySet<string>,
): ReadonlyMap<Attachment, string> {
  const size = sizeOf(network);
  let offset = (size < ALTERNATE_SPAN ? size : ALTERNATE_SPAN) - 1n;
  const nextFree = (): string | undefined => {
    do offset -= 1n;
    while (offset > 1n && taken.has(addressAt(network, offset)));
    return offset > 1n ? addressAt(network, offset) : undefined;
  };
  return new Map(
    servers.flatMap((server) => {
      const address = nextFree();
      return address === undefined ? [] : [[server, address] as const];
    }),
  );
}

function refuseFixedAddresses(context: Context, here: readonly Attachment[], segment: string, family: Family): void {
  for (const attachment of here) {
    const fixed = fixedEntry(context, attachment)?.[`ipv${family}`];
    const message = `expected no IPv${family} address: segment ${segment} has no IPv${family} network; found ${fixed ?? ""}`;
    if (fixed !== undefined) context.report("bad-address", fixedPath(attachment, `ipv${family}`), message);
  }
}

/** The addresses that the file sets on one segment, each checked against the segment and the others. */
function fixedAddresses(
  context: Context,
  here: readonly Attachment[],
  network: Network,
  reserved: ReadonlyMap<string, string>,
): Map<Attachment, string> {
  const fixed = new Map<Attachment, string>();
  const owners = new Map(reserved);
  for (const attachment of here) {
    const key = `ipv${network.family}` as const;
    const text = fixedEntry(context, attachment)?.[key];
    if (text === undefined) continue;
    const address = canonicalText(text);
    const problem =
      placeProblem(attachment.segment, network, address) ?? ownerProblem(owners, attachment.node, address);
    if (problem !== undefined) context.report(problem.code, placeOf(context, attachment, key), problem.message);
    fixed.set(attachment, address);
    owners.set(address, attachment.node);
  }
  return fixed;
}

function assignFree(
  context: Context,
  here: readonly Attachment[],
  network: Network,
  fixed: ReadonlyMap<Attachment, string>,
  reserved: ReadonlySet<string>,
): ReadonlyMap<Attachment, string> {
  const taken = new Set([...fixed.values(), ...reserved]);
  const assigned = new Map(fixed);
  const gateway = here.find((attachment) => attachment.side === "lan");
  let offset = 1n;
  const nextFree = (): string => {
    do offset += 1n;
    while (taken.has(addressAt(network, offset)));
    return addressAt(network, offset);
  };
  for (const attachment of here) {
    if (fixed.has(attachment)) continue;
    const first = addressAt(network, 1n);
    const address = attachment === gateway && !taken.has(first) ? first : nextFree();
    if (offset >= sizeOf(network) - (network.family === 4 ? 1n : 0n)) {
      context.report(
        "bad-address",
        attachment.path,
        `expected room for ${attachment.node}; ${attachment.segment} is full; take a shorter prefix`,
      );
      break;
    }
    taken.add(address);
    assigned.set(attachment, address);
  }
  return assigned;
}

/** Locally administered MAC addresses `02:00:0N:0S:SS:NN`: segment and node by their number in the file. */
function assignMacs(context: Context): ReadonlyMap<Attachment, string> {
  const segments = numbersOf(context.topology.segments);
  const nodes = numbersOf(context.topology.nodes);
  const macs = new Map<Attachment, string>();
  const owners = new Map<string, string>();
  for (const attachment of context.attachments) {
    const fixed = fixedEntry(context, attachment)?.mac;
    const [segment, node] = [segments.get(attachment.segment) ?? 0, nodes.get(attachment.node) ?? 0];
    const mac = fixed ?? `02:00:${[node >> 8, segment >> 8, segment & 0xff, node & 0xff].map(hexOctet).join(":")}`;
    const owner = owners.get(`${attachment.segment} ${mac}`);
    if (owner !== undefined) {
      const message = `expected a MAC address of its own; found ${mac}, which ${owner} has; change one`;
      context.report("duplicate", fixed === undefined ? attachment.path : fixedPath(attachment, "mac"), message);
    }
    owners.set(`${attachment.segment} ${mac}`, attachment.node);
    macs.set(attachment, mac);
  }
  return macs;
}

/** Names by their place in the file, from 1. */
function numbersOf(named: ReadonlyMap<string, unknown>): ReadonlyMap<string, number> {
  return new Map([...named.keys()].map((name, i) => [name, i + 1]));
}

function hexOctet(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function fixedEntry({ topology }: Context, { node, segment }: Attachment): FixedEntry | undefined {
  const entry = topology.nodes.get(node);
  const { addresses = {} } = entry ?? {};
  const fixed = Object.hasOwn(addresses, segment) ? addresses[segment] : undefined;
  const first = entry === undefined ? undefined : firstOfPool(entry, segment);
  return first === undefined ? fixed : { ...fixed, ipv4: first };
}

interface FixedEntry {
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
  readonly mac?: string | undefined;
}

/** Where the file sets an address: a NAT's first one beside its others. */
function placeOf({ topology }: Context, attachment: Attachment, key: string): IssuePath {
  const entry = topology.nodes.get(attachment.node);
  const isFirst = key === "ipv4" && entry !== undefined && firstOfPool(entry, attachment.segment) !== undefined;
  return isFirst ? [...poolPath(attachment.node, entry), 0] : fixedPath(attachment, key);
}

function fixedPath({ node, segment }: Attachment, key: string): IssuePath {
  return ["nodes", node, "addresses", segment, key];
}
