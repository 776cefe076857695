import type { LinkConditioner, LinkDirection, WireSetup } from "../../control/messages.ts";
import type { LinkCondition } from "../../core/link/link-condition.ts";
import type { FoundWire } from "./found-wire.ts";

/** What both directions of a wire do. */
export type LinkConditions = Readonly<Record<LinkDirection, LinkCondition>>;

/** One wire with its condition in force. */
export interface ConditionedWire {
  readonly wire: WireSetup;
  /** Who makes the condition. */
  readonly applied: LinkConditioner;
  /** The interface that gets the wire's address, by its present name. */
  readonly found: FoundWire;
  /** The interface on which frames of the wire really leave, once the node is set up. */
  readonly wireEnd: string;
  /** Other conditions from here on, also for a direction that had none. Throws `setup-failed`. */
  change(conditions: LinkConditions): Promise<void>;
  /** Carries frames from here on; interfaces are up. */
  start(): void;
  figures(direction: LinkDirection): Promise<Readonly<Record<string, number>>>;
  close(): void;
}
