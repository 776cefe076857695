/** Mobility messages between this node and a peer: through the home agents, or in UDP on a candidate pair. */

import type { SocketAddress } from "../../address.ts";
import { encodeMobilityMessage, type MobilityMessage } from "../../mip6/messages.ts";
import { encodeMobilityPacket, type MobilityEndpoints } from "../../mip6/mobility-header.ts";

/** The path of a packet: the home agents' path, or a pair by its local socket and remote address. */
export type PacketWay =
  | { readonly type: "home-agents" }
  | { readonly type: "pair"; readonly local: SocketAddress; readonly remote: SocketAddress };

/** The path through the home agents. */
export const HOME_WAY: PacketWay = { type: "home-agents" };

/** Sends Mobility Headers to home addresses of peers. */
export interface MobilityLink {
  /** Source and destination of a message to this peer, for checksums. */
  endpointsTo(peer: string): MobilityEndpoints;
  /** Encodes and sends a message without authenticator; returns the Mobility Header for repetition. */
  send(peer: string, message: MobilityMessage, way: PacketWay): Uint8Array;
  /** Sends an encoded Mobility Header. */
  sendHeader(peer: string, header: Uint8Array, way: PacketWay): void;
}

/** The source of messages is the home address; `sendBy` sends an IPv6 packet by a path. */
export function createMobilityLink(
  homeAddress: string,
  sendBy: (packet: Uint8Array, way: PacketWay) => void,
): MobilityLink {
  const endpointsTo = (peer: string): MobilityEndpoints => ({ source: homeAddress, destination: peer });
  const sendHeader = (peer: string, header: Uint8Array, way: PacketWay): void => {
    sendBy(encodeMobilityPacket(header, endpointsTo(peer)), way);
  };
  return {
    endpointsTo,
    sendHeader,
    send(peer, message, way) {
      const header = encodeMobilityMessage(message, endpointsTo(peer));
      sendHeader(peer, header, way);
      return header;
    },
  };
}
