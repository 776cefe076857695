/** What every kind of address translation is asked as predicted. */

import type { Endpoint, ModelPacket } from "./packet.ts";

export interface Translation {
  /** Whether the firewall judges what comes in from outside and was translated, by its inside destination. */
  readonly isFirewalled: boolean;
  /** The inside endpoint that a packet to an outside one is for, if it may pass. */
  insideOf(packet: ModelPacket, fromOutside: boolean): Endpoint | undefined;
  /** The outside source of a packet from inside, and why it is that one; undefined where the source stays what it is. */
  outsideOf(packet: ModelPacket): { readonly source: Endpoint; readonly why: string } | undefined;
  /** Takes note of a packet from outside that opened a flow to an inside endpoint. */
  learnInbound(packet: ModelPacket, inside: Endpoint): void;
  /** Takes note of a packet from an inside endpoint that answers a flow from outside, as it leaves. */
  learnAnswer(packet: ModelPacket, inside: Endpoint): void;
  /** Why a packet to an outside endpoint went in. */
  admission(packet: ModelPacket, fromOutside: boolean): string;
  /** Why a packet to an outside endpoint did not go in; undefined where translation is not the reason. */
  refusal(packet: ModelPacket, fromOutside: boolean): string | undefined;
}

/** The one kind of entry into a flow that every middlebox remembers by itself. */
export const EXACT = "exactly this address and port was sent to from inside";
