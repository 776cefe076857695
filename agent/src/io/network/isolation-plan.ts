/**
 * Decides from a node's addresses and routes whether it can reach anything outside the lab. Pure.
 *
 * The argument is by induction over the lab. A node's interfaces attach only to segments of the lab, its routing tables
 * hold only the topology's routes, and no segment leads out: the host's side of a Docker network has only its throwaway
 * address, which no route of any node covers. A packet to an outside address therefore has no route, goes to the edge
 * of a segment, which is a MAC address that nobody has, or to the next node of the lab, for which the same holds. The engine's name server inside the node remains, because it forwards
 * queries outside: it is blocked, and then queried to verify that.
 */

import { NAT64_INTERFACE, type NodeSetup } from "../../control/messages.ts";
import { addressFromBytes, addressToBytes, canonicalAddress } from "../../core/address.ts";
import { TUN_NAME } from "../tun/tun-name.ts";

/** A route of the kernel: a prefix in CIDR form and the interface it leads to. */
export interface KernelRoute {
  readonly to: string;
  readonly interfaceName: string;
}

/** The input of the isolation check. */
export interface NodeView {
  /** Addresses of the interfaces that have any, loopback left out, without prefix length. */
  readonly addresses: readonly { readonly interfaceName: string; readonly address: string }[];
  readonly routes: readonly KernelRoute[];
  /** Outcome of a query to the engine's name server. */
  readonly nameServer: "refused" | "answered" | "silent";
}

/** Where Docker's own name server listens inside a container. */
export const ENGINE_NAME_SERVER = "127.0.0.11";

/**
 * Makes the engine's name server unreachable for everything in the node, before its DNAT rules see the packet. A
 * program that queries it fails at once (EPERM) instead of running into a timeout.
 */
export const NAME_SERVER_GUARD = `table inet mice_isolation {
  chain output {
    type filter hook output priority -400; policy accept;
    ip daddr ${ENGINE_NAME_SERVER} drop;
  }
}
`;

/** Every way out of the lab that the view shows, one line each; empty if the node is isolated. */
export function findLeaks(setup: NodeSetup, view: NodeView): readonly string[] {
  const expectedAddresses = addressesOf(setup);
  const expectedRoutes = new Set(routesOf(setup).map(formatRoute));
  return [
    ...view.addresses
      .filter(({ interfaceName, address }) => !expectedAddresses.has(`${interfaceName} ${address}`))
      .filter(({ address }) => !address.startsWith("fe80:"))
      .map(
        ({ interfaceName, address }) =>
          `interface ${interfaceName} has ${address}, which the topology does not give it`,
      ),
    ...view.routes
      .map(formatRoute)
      .filter((route) => !expectedRoutes.has(route))
      .map((route) => `route ${route} is not in the topology`),
    ...(view.nameServer === "refused"
      ? []
      : [
          `the engine's name server ${ENGINE_NAME_SERVER} ${view.nameServer === "answered" ? "answers" : "takes questions"}`,
        ]),
  ];
}

/** Reads /proc/net/route: the main IPv4 table, addresses in hex as the machine stores them (little-endian). */
export function parseIpv4Routes(table: string): readonly KernelRoute[] {
  return table
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .map(([interfaceName = "", destination = "", , , , , , mask = ""]) => ({
      to: `${ipv4FromHex(destination)}/${bitCount(Number.parseInt(mask, 16))}`,
      interfaceName,
    }));
}

const RTF_REJECT = 0x0200;
const RTF_ANYCAST = 0x0010_0000;
const RTF_LOCAL = 0x8000_0000;
const NOT_A_WAY_OUT = RTF_REJECT | RTF_ANYCAST | RTF_LOCAL;

/** Reads /proc/net/ipv6_route: all IPv6 tables, without local addresses, unreachable routes and multicast. */
export function parseIpv6Routes(table: string): readonly KernelRoute[] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.trim().split(/\s+/))
    .filter(([destination = "", , , , , , , , flags = ""]) => {
      const isMulticast = destination.startsWith("ff");
      return !isMulticast && (Number.parseInt(flags, 16) & NOT_A_WAY_OUT) === 0;
    })
    .map(([destination = "", length = "", , , , , , , , interfaceName = ""]) => ({
      to: `${addressFromBytes(Buffer.from(destination, "hex"))}/${Number.parseInt(length, 16)}`,
      interfaceName,
    }));
}

function addressesOf(setup: NodeSetup): ReadonlySet<string> {
  const onInterfaces = setup.interfaces.flatMap(({ interfaceName, addresses }) =>
    addresses.map((address) => `${interfaceName} ${canonicalAddress(withoutLength(address))}`),
  );
  const home = homeAddressOf(setup);
  return new Set(home === undefined ? onInterfaces : [...onInterfaces, `${TUN_NAME} ${canonicalAddress(home)}`]);
}

/** Routes of the topology, and those that come with an address: its subnet and link-local. */
function routesOf(setup: NodeSetup): readonly KernelRoute[] {
  const { role } = setup;
  return [
    ...setup.routes,
    ...setup.interfaces.flatMap(({ interfaceName, addresses }) =>
      ["fe80::/64", ...addresses].map((to) => ({ to, interfaceName })),
    ),
    ...(role.type === "router" && role.nat64 !== undefined
      ? [role.nat64.prefix, ...role.nat64.networks.map(({ pool }) => pool)].map((to) => ({
          to,
          interfaceName: NAT64_INTERFACE,
        }))
      : []),
    ...(role.type === "home-agent" ? [{ to: role.homePrefix, interfaceName: TUN_NAME }] : []),
    ...(role.type === "mobile-node" || role.type === "correspondent-node"
      ? [
          { to: "::/0", interfaceName: TUN_NAME },
          { to: `${role.homeAddress}/128`, interfaceName: TUN_NAME },
        ]
      : []),
    ...(role.type === "stationary-node"
      ? ["::/0", ...role.homePrefixes].map((to) => ({ to, interfaceName: TUN_NAME }))
      : []),
  ];
}

function homeAddressOf({ role }: NodeSetup): string | undefined {
  if (role.type === "home-agent") return role.address;
  return "homeAddress" in role ? role.homeAddress : undefined;
}

/** `198.18.0.0/24 dev internet`, host bits cleared. */
function formatRoute({ to, interfaceName }: KernelRoute): string {
  return `${networkOf(to)} dev ${interfaceName}`;
}

function networkOf(prefix: string): string {
  const address = withoutLength(prefix);
  const length = Number(prefix.slice(address.length + 1));
  const network = addressToBytes(address).map((octet, i) => {
    const kept = Math.min(Math.max(length - 8 * i, 0), 8);
    return octet & (0xff << (8 - kept));
  });
  return `${addressFromBytes(network)}/${length}`;
}

function withoutLength(prefix: string): string {
  const slash = prefix.indexOf("/");
  return slash === -1 ? prefix : prefix.slice(0, slash);
}

function ipv4FromHex(littleEndian: string): string {
  return addressFromBytes(Buffer.from(littleEndian, "hex").reverse());
}

function bitCount(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}
