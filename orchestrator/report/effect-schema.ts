/** The figures of a timeline event's effect in `result.json`, as agents tell them and as captures show them. */

import * as z from "zod";
import { COMPARED } from "../judge/compare-effects.ts";
import { EFFECT_PATHS } from "../judge/event-effect.ts";

const milliseconds = z.number().min(0).describe("milliseconds, with a fraction");
const count = z.int().min(0);
const effectPath = z.enum(EFFECT_PATHS);

/** Figures of an event's effect that agents tell, and captures show. */
export const effectFigures = {
  ms: milliseconds.describe("longest time in which no packet was answered; 0 when all were"),
  packetsLost: count,
  packetsSent: count,
  path: effectPath.describe(
    "the way of the data in the end, proven by data that came back; `undetermined` where fewer than five packets were sent",
  ),
  restoredAfterMs: milliseconds.optional().describe("from the event until data was answered on that path"),
  homeAgentsMs: milliseconds.describe("how long data took the home agents' path while the event held"),
  reordered: count.describe("answers that came after that of a later packet"),
};

const figureValue = z.union([z.number(), z.string()]);

/** What captures show beside the figures of agents. */
export const capturedFields = {
  captured: z
    .strictObject({ ...effectFigures, duplicated: count.describe("answers that came again") })
    .optional()
    .describe("the same from the captures alone; absent where these are not complete"),
  disagreements: z
    .array(
      z.strictObject({
        figure: z.enum(COMPARED.map((figure) => (figure === "outageMs" ? "ms" : figure))),
        agents: figureValue.optional(),
        captures: figureValue.optional(),
      }),
    )
    .describe("figures in which agents and captures differ by more than two packets, or than the time of two"),
};
