/** Sessions, and what is expected of them. */

import { CANDIDATE_TYPES } from "@testbed/agent/control";
import * as z from "zod";
import { PATH_NAMES, TRAFFIC_KINDS } from "../../model/words.ts";
import { duration, LONGEST_MOMENT, reference } from "./values.ts";

export const sessionSchema = z.strictObject({
  from: reference.describe("The node that makes the offer"),
  to: reference,
  traffic: z.enum(TRAFFIC_KINDS).optional().describe("What runs between the home addresses; echo when absent"),
});

export const expectationSchema = z.strictObject({
  session: reference.describe("from-to, such as mn-cn"),
  path: z.enum(PATH_NAMES).optional(),
  selected: z
    .tuple([z.enum(CANDIDATE_TYPES), z.enum(CANDIDATE_TYPES)])
    .optional()
    .describe("Candidate types of the selected pair: local and remote, seen from the session's `from`"),
  within: duration(LONGEST_MOMENT)
    .optional()
    .describe("Offer to nomination; with `after`, from the event to data on its path"),
  roundTrip: duration(LONGEST_MOMENT).optional().describe("Median round trip of the data on the final path"),
  lost: z.int().min(0).optional().describe("At most this many data packets lost"),
  after: reference
    .optional()
    .describe("An event of the timeline: the other keys then say what holds from it on, until the next one"),
  outage: duration(LONGEST_MOMENT)
    .optional()
    .describe("Only with `after`: longest time in which no data packet was answered"),
});
