import type { WireSetup } from "../../control/messages.ts";

/** A wire and the name that its interface has now. */
export interface FoundWire {
  readonly wire: WireSetup;
  readonly currentName: string;
}
