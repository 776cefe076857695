/** The interface that every model of address translation implements. */

import type { Endpoint, ModelPacket } from "./packet.ts";

/** The outside source of a packet from inside, and why it is that one; or why the packet is dropped. */
export type Outside = { readonly source: Endpoint; readonly why: string } | { readonly dropped: string };

export interface Translation {
  /** Whether the firewall applies to translated packets from outside, by their inside destination. */
  readonly isFirewalled: boolean;
  /** The inside endpoint of a packet to an outside one, if it is admitted. */
  insideOf(packet: ModelPacket, fromOutside: boolean): Endpoint | undefined;
  /**
   * The outside source of a packet from inside, and why it is that one; undefined where the source is not translated.
   */
  outsideOf(packet: ModelPacket): Outside | undefined;
  /** Records a packet from outside that opened a flow to an inside endpoint. */
  learnInbound(packet: ModelPacket, inside: Endpoint): void;
  /** Records an outgoing packet of an inside endpoint that answers a flow from outside. */
  learnAnswer(packet: ModelPacket, inside: Endpoint): void;
  /** Records a packet from outside that was refused, where it leaves something behind. */
  learnRefused?(packet: ModelPacket): void;
  /** Why a packet to an outside endpoint was admitted. */
  admission(packet: ModelPacket, fromOutside: boolean): string;
  /** Why a packet to an outside endpoint was refused; undefined if translation is not the reason. */
  refusal(packet: ModelPacket, fromOutside: boolean): string | undefined;
}

/** The reason for admitting packets of a tracked flow, the same for every NAT and firewall. */
export const EXACT = "exactly this address and port was sent to from inside";
