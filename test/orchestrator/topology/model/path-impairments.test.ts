import { expect, test } from "vitest";
import { roundTripImpairment } from "../../../../orchestrator/topology/model/path-impairments.ts";
import { HOME_AGENTS, resolved, topologyText } from "../sample.ts";

const impairmentsOf = (links: string) =>
  roundTripImpairment(resolved(topologyText({ nodes: HOME_AGENTS, rest: `links: { ${links} }` })).nodes);

test.each([
  ["", { addedMs: 0, lossRate: 0 }],
  ["ha-a/internet: { delay: 20ms, jitter: 5ms }", { addedMs: 50, lossRate: 0 }],
  ["ha-a/internet: { out: { delay: 20ms } }, ha-b/internet: { in: { delay: 7ms } }", { addedMs: 27, lossRate: 0 }],
  [
    "ha-a/internet: { loss: 10% }, ha-b/internet: { out: { loss: 50% } }",
    { addedMs: 0, lossRate: 1 - 0.9 * 0.9 * 0.5 },
  ],
  // Five full frames of 1514 octets.
  ["ha-a/internet: { out: { rate: 1mbit } }", { addedMs: 60.56, lossRate: 0 }],
])("with links { %s } a round trip takes and loses that much", (links, expected) => {
  const { addedMs, lossRate } = impairmentsOf(links);
  expect(addedMs).toBeCloseTo(expected.addedMs, 6);
  expect(lossRate).toBeCloseTo(expected.lossRate, 6);
});
