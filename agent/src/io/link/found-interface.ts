import type { InterfaceSetup } from "../../control/messages.ts";

/** A segment and the name that its interface has now. */
export interface FoundInterface {
  readonly iface: InterfaceSetup;
  readonly currentName: string;
}
