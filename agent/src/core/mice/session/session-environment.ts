/** What a session uses of its node. */

import type { LocalCandidate } from "../../ice/candidate.ts";
import type { Pacer } from "../../ice/pacer.ts";
import type { Refusals } from "../../ice/refusals.ts";
import type { InstantMs, Rng, Transmit } from "../../machine.ts";
import type { Correspondent } from "../../mip6/correspondent.ts";
import type { MobilityMessage } from "../../mip6/messages.ts";
import type { AgentSettings } from "../../node/agent-settings.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { MobilityLink, PacketWay } from "./mobility-link.ts";

export interface SessionEnvironment extends AgentSettings {
  readonly homeAddress: string;
  /** Without home agent: it requests offers from the peer, and makes none. */
  readonly isStationary: boolean;
  readonly rng: Rng;
  readonly pacer: Pacer;
  readonly refusals: Refusals;
  readonly outbox: Outbox;
  readonly link: MobilityLink;
  readonly correspondent: Correspondent;
  /**
   * Gathers candidates, reports them for this peer, and refreshes their mappings until the returned function is called.
   */
  readonly gather: (now: InstantMs, peer: string, callbacks: GatheringCallbacks) => () => void;
  /** A pair is dead, and perhaps the tunnel's mapping too: registers again before data takes the home agents' path. */
  readonly confirmRegistration: (now: InstantMs) => void;
  /** Sends a check; one from the home address goes through the tunnel. */
  readonly sendCheck: (transmit: Transmit) => void;
}

/** Events of gathering for a session. */
export interface GatheringCallbacks {
  /** All candidates, once. */
  done(now: InstantMs, candidates: readonly LocalCandidate[]): void;
  /** Later: the node's mapped address has changed, and a signalled candidate is dead. */
  mappingChanged(now: InstantMs): void;
}

/** A received mobility message with a correct checksum. */
export interface ReceivedMobility<Message extends MobilityMessage = MobilityMessage> {
  readonly message: Message;
  /** The complete Mobility Header. */
  readonly header: Uint8Array;
  readonly way: PacketWay;
}
