/**
 * The stateless half of a NAT64 (RFC 7915): IPv6 packets to its prefix become IPv4 packets of the host's pool address,
 * and back. The half with state, of RFC 6146, is the router's IPv4 NAT, which these packets pass next.
 */

import { addressToBytes } from "../address.ts";
import { createHostTable, type Nat64Network } from "./host-table.ts";
import { createSynthesis } from "./synthesis.ts";
import { type Readdress, translateToIpv4, translateToIpv6 } from "./translate-packet.ts";

export interface Nat64Config {
  readonly prefix: string;
  readonly networks: readonly Nat64Network[];
}

/** Translates a packet of either IP version; undefined for one that is dropped. */
export type Nat64Translator = (packet: Uint8Array) => Uint8Array | undefined;

export function createNat64Translator({ prefix, networks }: Nat64Config): Nat64Translator {
  const { toIpv6, toIpv4 } = createSynthesis(prefix);
  const hosts = createHostTable(networks);
  const outward: Readdress = (source, destination) => {
    const peer = toIpv4(destination);
    // RFC 6052 section 3.1: nobody is reached at loopback, multicast or reserved addresses.
    if (peer === undefined || !isUnicast(peer)) return undefined;
    const host = hosts.toIpv4(source);
    return host === undefined ? undefined : [host, peer];
  };
  const inward: Readdress = (source, destination) => {
    const host = hosts.toIpv6(destination);
    return host === undefined ? undefined : [toIpv6(source), host];
  };
  return (packet) => ((packet[0] ?? 0) >> 4 === 6 ? translateToIpv4(packet, outward) : translateToIpv6(packet, inward));
}

function isUnicast(ipv4: string): boolean {
  const [first = 0] = addressToBytes(ipv4);
  return first !== 0 && first !== 127 && first < 224;
}
