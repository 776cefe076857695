/** What a session uses of the node it belongs to. */

import type { LocalCandidate } from "../../ice/candidate.ts";
import type { Pacer } from "../../ice/pacer.ts";
import type { InstantMs, Rng, Transmit } from "../../machine.ts";
import type { Correspondent } from "../../mip6/correspondent.ts";
import type { MobilityMessage } from "../../mip6/messages.ts";
import type { AgentSettings } from "../../node/agent-settings.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { MobilityLink, PacketWay } from "./mobility-link.ts";

export interface SessionEnvironment extends AgentSettings {
  readonly homeAddress: string;
  /** Without home agent: it asks the peer for offers, and makes none. */
  readonly isStationary: boolean;
  readonly rng: Rng;
  readonly pacer: Pacer;
  readonly outbox: Outbox;
  readonly link: MobilityLink;
  readonly correspondent: Correspondent;
  /** Gathers candidates, reports them for this peer, and keeps their mappings alive until the answer is called. */
  readonly gather: (now: InstantMs, peer: string, callbacks: GatheringCallbacks) => () => void;
  /** A pair is dead: the middlebox that killed it may have cut the tunnel too. The home agent is asked before data goes there. */
  readonly confirmRegistration: (now: InstantMs) => void;
  /** Sends a check; one from the home address goes through the tunnel. */
  readonly sendCheck: (transmit: Transmit) => void;
}

/** What gathering tells a session. */
export interface GatheringCallbacks {
  /** All candidates that there will be, once. */
  done(now: InstantMs, candidates: readonly LocalCandidate[]): void;
  /** After that: a middlebox shows the node at another address, and a candidate that was told is dead. */
  mappingChanged(now: InstantMs): void;
}

/** A mobility message from a peer that passed its checksum. */
export interface ReceivedMobility<Message extends MobilityMessage = MobilityMessage> {
  readonly message: Message;
  /** The whole Mobility Header. */
  readonly header: Uint8Array;
  readonly way: PacketWay;
}
