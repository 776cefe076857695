/** Flows between hosts: which packets are their data. */

import * as z from "zod";
import { FORWARD_PROTOCOLS } from "../../model/words.ts";
import { name, port, reference } from "./values.ts";

/** Most octets that an IP packet has. */
const MOST_OCTETS = 65_535;

export const flowSchema = z.strictObject({
  name: name.describe("What expectations and results call it"),
  between: z.tuple([reference, reference]).describe("Two hosts"),
  protocol: z.enum(FORWARD_PROTOCOLS).optional().describe("udp when absent"),
  data: z
    .strictObject({
      ports: z
        .array(port)
        .min(1)
        .optional()
        .describe("Only packets from or to one of these ports, at either host, are data; all when absent"),
      minimumSize: z
        .int()
        .min(1)
        .max(MOST_OCTETS)
        .optional()
        .describe("Octets that a payload must have to be data; 2 when absent, as keepalives are shorter"),
    })
    .optional()
    .describe("Which packets are data; STUN and TURN control never are"),
});

export const flowsSchema = z
  .union([z.literal("all"), z.array(flowSchema)])
  .describe("Whose packets are followed and judged: a list, or `all` between hosts that are seen");
