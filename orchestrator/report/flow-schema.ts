/** The fields of a flow in `result.json`. */

import * as z from "zod";
import { FLOW_EFFECT_PATHS } from "../judge/flow-observation.ts";
import { FORWARD_PROTOCOLS } from "../topology/model/words.ts";
import { FLOW_POSSIBILITIES, SURPRISES } from "../topology/predict/predict-flow.ts";

const milliseconds = z.number().min(0).describe("milliseconds, with a fraction");
const count = z.int().min(0);

const flowFigures = {
  path: z
    .enum(FLOW_EFFECT_PATHS)
    .describe("`direct`: data both ways through routers alone; `relayed`: through a third node; by captures alone"),
  relays: z.array(z.string()).describe("nodes that both hosts exchange data with, where it is relayed"),
  onPathAfterMs: milliseconds
    .optional()
    .describe("from the start of both programs, or the event, until data came both ways"),
  packetsSent: count.describe("in both directions, from the first one on that arrived"),
  packetsLost: count,
  outageMs: milliseconds.describe("longest time in which nothing arrived in one direction"),
  bitPerSec: z.number().min(0).optional().describe("of payloads that arrived, in both directions"),
  roundTripMs: milliseconds.optional().describe("median of packets that were returned as they were"),
};

const flowEnd = z.strictObject({ address: z.string(), port: z.int().min(0).max(65_535) });

const flowWay = z.strictObject({
  packets: count,
  sinceMs: milliseconds.describe("of its first packet, counted from the first thing that was recorded"),
  relays: z.array(z.string()),
  segments: z.array(z.strictObject({ segment: z.string(), source: flowEnd, destination: flowEnd })),
});

export const flowResultSchema = z.strictObject({
  ...flowFigures,
  name: z.string(),
  between: z.tuple([z.string(), z.string()]),
  protocol: z.enum(FORWARD_PROTOCOLS),
  directAfterMs: milliseconds
    .optional()
    .describe("from the start of both programs until data had come directly in both directions"),
  directions: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      packets: count,
      lost: count,
      duplicated: count,
      reordered: count,
      octets: count.describe("of payloads that arrived"),
      ways: z
        .array(flowWay)
        .describe("where packets were seen, with which addresses, in the order of time; at most 20"),
    }),
  ),
  ambiguous: count.describe("packets that were told from others of equal content by time and order alone"),
  predicted: z
    .strictObject({ direct: z.enum(FLOW_POSSIBILITIES), why: z.string() })
    .optional()
    .describe("whether UDP hole punching can make a direct path, as set up; absent for TCP"),
  surprise: z
    .enum(SURPRISES)
    .optional()
    .describe("`better`: direct although the model says that it is impossible; `worse`: not direct although possible"),
  effects: z.array(z.strictObject({ event: z.string(), ...flowFigures })).describe("what came of each event"),
});
