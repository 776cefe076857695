/** A UDP socket of a node, and what its address tells about whom it can reach. */

import { addressToBytes, familyOf, type SocketAddress } from "./address.ts";
import { prefixContains } from "./prefix.ts";

export interface LocalSocket extends SocketAddress {
  /** Length of the prefix that all addresses on its segment share; absent when unknown. */
  readonly prefixLength?: number;
  /** Whether a route leads out of its segment; absent when unknown. */
  readonly hasRouter?: boolean;
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
