import type { Impairer, InterfaceSetup, LinkDirection } from "../../control/messages.ts";
import type { Impairment } from "../../core/link/impairment.ts";
import type { FoundInterface } from "./found-interface.ts";

/** Impairments of a link in both directions. */
export type LinkImpairments = Readonly<Record<LinkDirection, Impairment>>;

/** An interface whose link's impairments are in force. */
export interface ImpairedInterface {
  readonly iface: InterfaceSetup;
  /** What applies the impairments. */
  readonly applied: Impairer;
  /** The interface that gets the segment's addresses, by its present name. */
  readonly found: FoundInterface;
  /** The interface on which the frames leave the node, once the node is set up. */
  readonly underlyingName: string;
  /** Replaces the impairments, also for a direction that had none. Throws `setup-failed`. */
  change(impairments: LinkImpairments): Promise<void>;
  /** Starts forwarding frames; the interfaces are up. */
  start(): void;
  figures(direction: LinkDirection): Promise<Readonly<Record<string, number>>>;
  close(): void;
}
