/** The events of a timeline. */

import * as z from "zod";
import { TRIGGER_STATES } from "../../model/words.ts";
import { segments } from "./attachment.ts";
import { linkKey, linkSchema } from "./link.ts";
import { firewall, nat } from "./middlebox.ts";
import { address, duration, LONGEST_MOMENT, name, reference } from "./values.ts";

/** What an event waits for. */
const trigger = z.strictObject({
  session: reference.optional().describe("from-to, such as mn-cn"),
  state: z
    .enum(TRIGGER_STATES)
    .optional()
    .describe("What the session's data takes, or what its ends come to; anew, where `after` stands beside `on`"),
});

/** When an event happens. */
const moment = {
  at: duration(LONGEST_MOMENT)
    .optional()
    .describe("Counted from when every session has its path and has exchanged its first data"),
  after: reference
    .optional()
    .describe("The event that was carried out before; one that is repeated is followed every time"),
  plus: duration(LONGEST_MOMENT).optional().describe("With `after` or `on`: how long after that; 0ms when absent"),
  settled: z
    .boolean()
    .optional()
    .describe("With `after`: counted from when the effect has settled: all sessions are quiescent again"),
  on: trigger.optional().describe("What must be seen before; with `after`, since then"),
  every: duration(LONGEST_MOMENT, "1ms")
    .optional()
    .describe("With `times`: again and again, as name#1, name#2, and so on"),
  times: z.int().min(2).max(1000).optional().describe("With `every`: how many times in all"),
};

export const timelineEventSchema = z
  .strictObject({
    ...moment,
    name: name.optional().describe("What `after` calls it; the kind of the event, such as reboot, when absent"),
    move: z
      .union([reference, z.array(reference).min(1)])
      .optional()
      .describe("A mobile or correspondent node or a host, or several, which are on other segments from then on"),
    to: segments
      .optional()
      .describe("Only with `move`: the segment, or several at once, the preferred one first; make before break"),
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
    kill: reference
      .optional()
      .describe("An end of a session, a home agent or a STUN server, whose program ends at once and tells nobody"),
    restart: reference
      .optional()
      .describe("The same, whose program is started again, after it was killed or now; it knows nothing of before"),
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
