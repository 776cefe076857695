import type { InterfaceSetup } from "../../control/messages.ts";

/** An interface of the set-up and its present name in the node. */
export interface FoundInterface {
  readonly iface: InterfaceSetup;
  readonly currentName: string;
}
