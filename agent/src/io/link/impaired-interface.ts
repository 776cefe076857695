import type { Impairer, InterfaceSetup, LinkDirection } from "../../control/messages.ts";
import type { Impairment } from "../../core/link/impairment.ts";
import type { FoundInterface } from "./found-interface.ts";

/** What both directions of a segment do. */
export type LinkImpairments = Readonly<Record<LinkDirection, Impairment>>;

/** One segment with its condition in force. */
export interface ImpairedInterface {
  readonly iface: InterfaceSetup;
  /** Who makes the condition. */
  readonly applied: Impairer;
  /** The interface that gets the segment's address, by its present name. */
  readonly found: FoundInterface;
  /** The interface on which frames of the segment really leave, once the node is set up. */
  readonly underlyingName: string;
  /** Other conditions from here on, also for a direction that had none. Throws `setup-failed`. */
  change(impairments: LinkImpairments): Promise<void>;
  /** Carries frames from here on; interfaces are up. */
  start(): void;
  figures(direction: LinkDirection): Promise<Readonly<Record<string, number>>>;
  close(): void;
}
