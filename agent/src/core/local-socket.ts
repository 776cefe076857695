/** A UDP socket of a node, and what its address tells about whom it can reach. */

import { addressToBytes, familyOf, type SocketAddress, sameSocketAddress } from "./address.ts";
import { prefixContains } from "./prefix.ts";

export interface LocalSocket extends SocketAddress {
  /** Length of the prefix that all addresses on its segment share; absent when unknown. */
  readonly prefixLength?: number;
  /** Whether a route leads out of its segment; absent when unknown. */
  readonly hasRouter?: boolean;
  /** The interface that has the address: an equal address on another one is another place. Absent when unknown. */
  readonly interfaceName?: string;
}

/** True for the same address and port at the same place. */
export function isSameSocket(one: LocalSocket, other: LocalSocket): boolean {
  return sameSocketAddress(one, other) && one.interfaceName === other.interfaceName;
}

/** True for an address on the segment of a socket whose prefix is known. */
export function isOnLink({ ip: own, prefixLength }: LocalSocket, ip: string): boolean {
  if (prefixLength === undefined || familyOf(own) !== familyOf(ip)) return false;
  return prefixContains({ octets: addressToBytes(own), length: prefixLength }, addressToBytes(ip));
}

/** True unless the address lies outside of a segment that is known to have no router. */
export function reaches(socket: LocalSocket, ip: string): boolean {
  return socket.hasRouter !== false || isOnLink(socket, ip);
}

/** The socket's transport address alone, as candidates, events and datagrams have it. */
export function addressOf({ ip, port }: SocketAddress): SocketAddress {
  return { ip, port };
}
