import { expect, test } from "vitest";
import { planProbes } from "../../../orchestrator/plan/probe-plan.ts";
import { resolved, twoHomes } from "../topology/sample.ts";

const probesUnder = (links: string) =>
  planProbes(resolved(`${twoHomes("nat: symmetric", "nat: symmetric")}links: { ${links} }\n`));

test("a probe knows what the links on its own way add to a round trip, and what they lose", () => {
  const links =
    "nat-a/internet: { delay: 20ms, jitter: 1ms }, ha-a/internet: { in: { loss: 10% } }, mn/home-a: { out: { delay: 3ms } }";
  expect(probesUnder(links).probes.map(({ router, roundTrip }) => ({ router, ...roundTrip }))).toEqual([
    { router: "nat-a", addedMs: 45, lossRate: expect.closeTo(0.1) as number },
    { router: "nat-b", addedMs: 0, lossRate: 0 },
  ]);
});

test("no probe is made where too many packets are lost for silence to mean anything", () => {
  const { probes, notProbed } = probesUnder("nat-a/internet: { loss: 30% }");
  expect(probes.map(({ router }) => router)).toEqual(["nat-b"]);
  expect(notProbed).toEqual([
    {
      router: "nat-a",
      lan: "home-a",
      reason: "the links to its STUN server lose too many packets for silence to mean anything",
    },
  ]);
});
