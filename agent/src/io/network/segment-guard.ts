/**
 * Rules that keep a node on its segment where the machine is on it as well: the bridge of an engine's network is an
 * interface of the machine, with an IPv6 link-local address that answers. Pure.
 *
 * Only what some node of the segment can want leaves the node: frames to the MAC address of one, ARP for the address of
 * one, IPv4 broadcast and multicast (the machine has no IPv4 address there), and neighbour solicitations for a node.
 * Other IPv6 multicast would reach services of the machine. Nothing of the machine comes in.
 */

import type { InterfaceSetup, SegmentNeighbours } from "../../control/messages.ts";
import { addressFromBytes, addressToBytes, type Family, familyOf } from "../../core/address.ts";
import { EDGE, linkLocalAddress } from "./network-plan.ts";

/** An interface of the set-up, and the one on which its frames leave the node. */
export interface GuardedInterface {
  readonly iface: InterfaceSetup;
  readonly underlyingName: string;
}

/** Texts for `nft -f`; both are empty where no segment is shared with the machine. */
export interface SegmentGuard {
  /** For every frame, also of packet sockets. The egress hook came with Linux 5.16. */
  readonly frames: string;
  /** For older kernels: for what programs without CAP_NET_RAW can send. */
  readonly packets: string;
}

/**
 * Fields of a frame, each counted in bits from its first octet. The kernel's own idea of a frame's protocol will not do:
 * a program with a packet socket may state another one.
 */
const DESTINATION_MAC = "@ll,0,48";
const IS_GROUP = "@ll,0,8 & 0x01 == 0x01";
const SOURCE_MAC = "@ll,48,48";
const ETHER_TYPE = "@ll,96,16";
const IPV4_DESTINATION = "@ll,240,32";
const IPV6_DESTINATION = "@ll,304,128";
const ARP_TARGET = "@ll,304,32";

const ETHER_TYPE_IPV4 = "0x0800";
const ETHER_TYPE_ARP = "0x0806";
const ETHER_TYPE_IPV6 = "0x86dd";

const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";
const LIMITED_BROADCAST = "255.255.255.255";
/** Reports of group membership, which nobody answers. */
const MLD_ROUTERS = "ff02::16";

export function segmentGuard(interfaces: readonly GuardedInterface[]): SegmentGuard {
  const guarded = interfaces.flatMap(({ iface, underlyingName }) =>
    iface.neighbours === undefined
      ? []
      : [{ name: iface.interfaceName, underlyingName, known: knownOf(iface.neighbours) }],
  );
  if (guarded.length === 0) return { frames: "", packets: "" };
  const arrivals = guarded.flatMap(({ name, known: { macs } }, i) => [
    `  chain in${i} {`,
    `    type filter hook ingress device "${name}" priority 0; policy drop;`,
    `    ${SOURCE_MAC} ${macSet(macs)} accept`,
    "  }",
  ]);
  const departures = guarded.flatMap(({ underlyingName, known }, i) => [
    `  chain out${i} {`,
    `    type filter hook egress device "${underlyingName}" priority 0; policy drop;`,
    ...departingFrames(known).map((rule) => `    ${rule} accept`),
    "  }",
  ]);
  const programs = guarded.flatMap(({ name, known: { linkLocal, ipv6Groups } }) => [
    `    oifname "${name}" ip6 daddr fe80::/10 ip6 daddr != { ${linkLocal.join(", ")} } drop`,
    `    oifname "${name}" ip6 daddr ff00::/8 ip6 daddr != { ${ipv6Groups.join(", ")} } drop`,
  ]);
  return {
    frames: lines("table netdev mice_segments {", ...departures, ...arrivals, "}"),
    packets: lines(
      ...["table ip6 mice_segments {", "  chain output {"],
      "    type filter hook output priority -400; policy accept;",
      ...programs,
      ...["  }", "}"],
      ...["table netdev mice_segments {", ...arrivals, "}"],
    ),
  };
}

/** What may leave; IPv4 multicast is 224.0.0.0/4. What goes to a segment's edge is swallowed on the segment. */
function departingFrames({ macs, ipv4, ipv4Broadcasts, ipv6Groups }: Known): readonly string[] {
  return [
    `${ETHER_TYPE} { ${ETHER_TYPE_IPV4}, ${ETHER_TYPE_IPV6} } ${DESTINATION_MAC} ${macSet([...macs, EDGE.mac])}`,
    `${ETHER_TYPE} ${ETHER_TYPE_IPV4} ${IS_GROUP} ${IPV4_DESTINATION} & 0xf0000000 == 0xe0000000`,
    `${ETHER_TYPE} ${ETHER_TYPE_IPV4} ${IS_GROUP} ${IPV4_DESTINATION} ${addressSet(ipv4Broadcasts)}`,
    `${ETHER_TYPE} ${ETHER_TYPE_IPV6} ${IS_GROUP} ${IPV6_DESTINATION} ${addressSet(ipv6Groups)}`,
    ...(ipv4.length === 0
      ? []
      : [
          `${ETHER_TYPE} ${ETHER_TYPE_ARP} ${DESTINATION_MAC} ${macSet([...macs, BROADCAST_MAC])} ${ARP_TARGET} ${addressSet(ipv4)}`,
        ]),
  ];
}

/** Addresses of the nodes on a segment, each once. */
interface Known {
  readonly macs: readonly string[];
  readonly ipv4: readonly string[];
  readonly ipv4Broadcasts: readonly string[];
  readonly linkLocal: readonly string[];
  readonly ipv6Groups: readonly string[];
}

function knownOf({ macs, addresses }: SegmentNeighbours): Known {
  const ofFamily = (family: Family): readonly string[] =>
    addresses.filter((address) => familyOf(withoutLength(address)) === family);
  const linkLocal = macs.map(linkLocalAddress);
  const ipv6 = [...linkLocal, ...ofFamily(6).map(withoutLength)];
  return {
    macs: unique(macs),
    ipv4: unique(ofFamily(4).map(withoutLength)),
    ipv4Broadcasts: unique([LIMITED_BROADCAST, ...ofFamily(4).map(broadcastAddress)]),
    linkLocal: unique(linkLocal),
    ipv6Groups: unique([MLD_ROUTERS, ...ipv6.map(solicitedNodeAddress)]),
  };
}

/** RFC 4291 section 2.7.1: `ff02::1:ff` and the last three octets. */
function solicitedNodeAddress(address: string): string {
  const prefix = addressToBytes("ff02::1:ff00:0").slice(0, 13);
  return addressFromBytes(Uint8Array.of(...prefix, ...addressToBytes(address).slice(13)));
}

function broadcastAddress(prefix: string): string {
  const length = Number(prefix.slice(prefix.indexOf("/") + 1));
  const octets = addressToBytes(withoutLength(prefix)).map((octet, i) => {
    const hostBits = Math.min(Math.max(8 * (i + 1) - length, 0), 8);
    return octet | ((1 << hostBits) - 1);
  });
  return addressFromBytes(octets);
}

function withoutLength(prefix: string): string {
  return prefix.split("/", 1)[0] ?? prefix;
}

/** Addresses as a set of numbers. */
function addressSet(addresses: readonly string[]): string {
  return numberSet(addresses.map((address) => Buffer.from(addressToBytes(address)).toString("hex")));
}

function macSet(macs: readonly string[]): string {
  return numberSet(macs.map((mac) => mac.replaceAll(":", "")));
}

function numberSet(hex: readonly string[]): string {
  return `{ ${hex.map((number) => `0x${number}`).join(", ")} }`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function lines(...text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join("");
}
