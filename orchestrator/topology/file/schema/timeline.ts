/** The events of a timeline. */

import * as z from "zod";
import { linkKey, linkSchema } from "./link.ts";
import { firewall, nat } from "./middlebox.ts";
import { address, duration, LONGEST_MOMENT, name, reference } from "./values.ts";

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
    reboot: reference
      .optional()
      .describe(
        "A router, which forgets its mappings and flows, or a home agent, which forgets its bindings; or a STUN server",
      ),
    forget: reference.optional().describe("A router, which forgets its mappings and flows, and nothing else"),
    readdress: reference
      .optional()
      .describe(
        "A router with a NAT, or a mobile or correspondent node, which gets other addresses on the same segment",
      ),
    addresses: z
      .strictObject({ ipv4: address(4).optional(), ipv6: address(6).optional() })
      .optional()
      .describe("Only with `readdress`: the new addresses; the next free ones of the segment when absent"),
    overlap: duration("60m")
      .optional()
      .describe("Only with `readdress` of a mobile or correspondent node: how long it keeps the old addresses too"),
    change: reference.optional().describe("A router, which behaves as `nat` and `firewall` say from then on"),
    nat: nat.optional().describe("Only with `change`: other address translation; all mappings are lost with it"),
    firewall: firewall.optional().describe("Only with `change`: another policy, also for the flows that there are"),
    pause: reference
      .optional()
      .describe("An end of a session, a home agent or a STUN server, which stands still (SIGSTOP)"),
    resume: reference.optional().describe("A paused node, which goes on"),
    link: linkKey.optional().describe("The end of a segment by <node>/<segment>, whose conditions change"),
    conditions: linkSchema
      .optional()
      .describe(
        "Only with `link`: what holds from then on in place of what held before; a loss of 100% breaks the link",
      ),
    down: duration("60m")
      .optional()
      .describe("Only with `reboot`: how long it neither forwards nor answers; no longer than it takes"),
    ports: z
      .enum(["new", "same"])
      .optional()
      .describe("Only with `reboot`: whether drawn ports are drawn anew, which follows from the seed; new when absent"),
  })
  .describe("Something that happens during the run");
