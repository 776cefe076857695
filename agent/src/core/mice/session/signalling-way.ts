/** Which messages count from which way. */

import type { MobilityMessage } from "../../mip6/messages.ts";
import type { ReceivedMobility } from "./session-environment.ts";

/** Return routability messages count only from the home agents' path (SPEC 13). */
export function isFromWrongWay({ message, way }: ReceivedMobility): boolean {
  return way.type === "pair" && !TYPES_ON_PAIRS.includes(message.type);
}

const TYPES_ON_PAIRS: readonly MobilityMessage["type"][] = ["binding-update", "binding-acknowledgement"];
