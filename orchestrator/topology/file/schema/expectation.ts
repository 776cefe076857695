/** Sessions, and what is expected of them and of hosts. */

import { CANDIDATE_TYPES } from "@testbed/agent/control";
import * as z from "zod";
import { PATH_NAMES, TRAFFIC_KINDS } from "../../model/words.ts";
import { duration, LONGEST_MOMENT, outputPattern, reference } from "./values.ts";

export const sessionSchema = z.strictObject({
  from: reference.describe("The node that makes the offer"),
  to: reference,
  traffic: z
    .union([
      z.enum(TRAFFIC_KINDS),
      z.strictObject({
        kind: z.enum(TRAFFIC_KINDS).optional().describe("echo when absent"),
        size: z
          .int()
          .min(8)
          .max(9000)
          .optional()
          .describe("Only with echo: octets of a packet's payload; 200 when absent"),
        rate: z
          .number()
          .min(1)
          .max(1000)
          .optional()
          .describe("Packets a second; when absent 500 after the nomination and 50 amid a timeline"),
      }),
    ])
    .optional()
    .describe("What runs between the home addresses, by its kind, or with its size and pace; echo when absent"),
});

const exitCode = z.int().min(0).max(255);

export const expectationSchema = z.strictObject({
  session: reference.optional().describe("from-to, such as mn-cn"),
  host: reference.optional().describe("A host, in place of a session"),
  exit: z
    .union([exitCode, z.array(exitCode).min(1)], { error: "expected an exit code from 0 to 255, or a list of them" })
    .optional()
    .describe("Of a host: its program ends by itself, with this exit code or one of these"),
  output: outputPattern.optional(),
  path: z.enum(PATH_NAMES).optional(),
  selected: z
    .tuple([z.enum(CANDIDATE_TYPES), z.enum(CANDIDATE_TYPES)])
    .optional()
    .describe("Candidate types of the selected pair: local and remote, seen from the session's `from`"),
  within: duration(LONGEST_MOMENT)
    .optional()
    .describe(
      "Offer to nomination; with `after`, from the event to data on its path. Of a host: from its start, or from the event, to its exit and output",
    ),
  roundTrip: duration(LONGEST_MOMENT).optional().describe("Median round trip of the data on the final path"),
  lost: z.int().min(0).optional().describe("At most this many data packets lost"),
  after: reference
    .optional()
    .describe("An event of the timeline: the other keys then say what holds from it on, until the next one"),
  outage: duration(LONGEST_MOMENT)
    .optional()
    .describe("Only with `after`: longest time in which no data packet was answered"),
});
