/** The events of a timeline. */

import * as z from "zod";
import { linkKey, linkSchema } from "./link.ts";
import { duration, LONGEST_MOMENT, name, reference } from "./values.ts";

export const timelineEventSchema = z
  .strictObject({
    at: duration(LONGEST_MOMENT).describe(
      "Counted from when every session has its path and has exchanged its first data",
    ),
    name: name.optional().describe("What `after` calls it; the kind of the event, such as reboot, when absent"),
    move: reference.optional().describe("A mobile or correspondent node, which leaves its segment for another one"),
    to: reference.optional().describe("Only with `move`: the segment"),
    deregister: reference
      .optional()
      .describe("A mobile or correspondent node, which takes its bindings away and can be reached no more"),
    reboot: reference.optional().describe("A router, which forgets its mappings and its flows"),
    link: linkKey.optional().describe("The end of a segment by <node>/<segment>, whose conditions change"),
    conditions: linkSchema
      .optional()
      .describe(
        "Only with `link`: what holds from then on in place of what held before; a loss of 100% breaks the link",
      ),
    down: duration("60m")
      .optional()
      .describe("Only with `reboot`: how long it lets nothing through; no longer than it takes"),
    ports: z
      .enum(["new", "same"])
      .optional()
      .describe("Only with `reboot`: whether drawn ports are drawn anew, which follows from the seed; new when absent"),
  })
  .describe("Something that happens during the run");
