import type { ImpairedLink, LinkFigures } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { linkResults } from "../../../orchestrator/report/link-result.ts";
import { describeFigures, linkRows } from "../../../orchestrator/report/link-rows.ts";
import { describeEvent } from "../../../orchestrator/report/progress.ts";
import { type LinkResult, runResultSchema } from "../../../orchestrator/report/run-result.ts";
import { HOME_AGENTS, resolved, topologyText } from "../topology/sample.ts";

const topology = resolved(
  topologyText({
    nodes: HOME_AGENTS,
    rest: "links: { ha-a/internet: { delay: 5ms }, ha-b/internet: { in: { loss: 1% } } }",
  }),
);
const out: ImpairedLink = { segment: "internet", direction: "out", applied: "user-space" };
const inbound: ImpairedLink = { ...out, direction: "in" };
const figures: LinkFigures = { ...out, counters: { received: 7, delivered: 6, lost: 1, overrun: 0 } };
const event = (node: string, links: Extract<LabEvent, { type: "links" }>["links"]): LabEvent => ({
  at: 1,
  type: "links",
  node,
  links,
});

describe("the links of a result", () => {
  test("are the directions that have a condition, with who made it and the last figures", () => {
    const events = [event("ha-a", [out, inbound]), event("ha-a", [figures, { ...inbound, counters: {} }])];
    expect(linkResults(topology, events)).toEqual([
      {
        link: "ha-a/internet",
        direction: "out",
        impairment: { delayMs: 5 },
        changes: [],
        applied: "user-space",
        counters: figures.counters,
      },
      {
        link: "ha-a/internet",
        direction: "in",
        impairment: { delayMs: 5 },
        changes: [],
        applied: "user-space",
        counters: {},
      },
      { link: "ha-b/internet", direction: "in", impairment: { lossRate: 0.01 }, changes: [] },
    ]);
  });

  test("may have every impairment that there is", () => {
    const all = `delay: 5ms, jitter: 1ms, loss: 1%, burst: 2, queue: 100, duplicate: 1%, reorder: 1%, rate: 1mbit, corrupt: 1%`;
    const impaired = resolved(
      topologyText({
        nodes: HOME_AGENTS,
        rest: `links: { ha-a/internet: { ${all}, mtu: 1280, tooBig: drop, fragments: drop } }`,
      }),
    );
    for (const link of linkResults(impaired, [])) expect(runResultSchema.shape.links.element.parse(link)).toEqual(link);
  });

  test("say what events of the timeline made of them, as far as those happened", () => {
    const changing = resolved(
      topologyText({
        nodes: HOME_AGENTS,
        rest: `timeline:
  - { at: 1s, link: ha-a/internet, conditions: { loss: 100% }, name: breaks }
  - { at: 2s, link: ha-a/internet, conditions: { out: { delay: 20ms } }, name: mends }
  - { at: 3s, link: ha-a/internet, name: never }`,
      }),
    );
    const happened = (at: number, name: string): LabEvent => ({
      at,
      type: "timeline",
      name,
      nodes: ["ha-a"],
      text: name,
    });
    const changes = linkResults(changing, [happened(5, "breaks"), happened(6, "mends")]).map((link) => link.changes);
    expect(changes).toEqual([
      [
        { event: "breaks", impairment: { lossRate: 1 } },
        { event: "mends", impairment: { delayMs: 20 } },
      ],
      [
        { event: "breaks", impairment: { lossRate: 1 } },
        { event: "mends", impairment: {} },
      ],
    ]);
  });

  test("are none where no link has a condition", () => {
    expect(linkResults(resolved(topologyText({ nodes: HOME_AGENTS })), [])).toEqual([]);
  });
});

describe("a table of links", () => {
  const link: LinkResult = { link: "ha-a/internet", direction: "out", impairment: { delayMs: 5 }, changes: [] };
  const nothing = { timeline: [], phasesMs: {} };

  test("has a row for each direction, reached or not", () => {
    const done = { ...link, applied: "netem", counters: { delivered: 6, lost: 1 } } as const;
    expect(linkRows({ ...nothing, links: [done, link] })?.rows).toEqual([
      ["ha-a/internet", "out", "the start", "5 ms", "netem", "6 delivered, 1 lost"],
      ["ha-a/internet", "out", "the start", "5 ms", "not reached", "-"],
    ]);
    expect(linkRows({ ...nothing, links: [] })).toBeUndefined();
  });

  test("has a row for each condition that a direction had, with its time in the run", () => {
    const changes = [{ event: "breaks", impairment: { lossRate: 1 } }];
    const timeline = [{ event: "breaks", nodes: ["ha-a"], text: "the link breaks", atMs: 2000 }];
    const applied = { applied: "netem", counters: { delivered: 6, lost: 1 } } as const;
    expect(linkRows({ links: [{ ...link, ...applied, changes }], timeline, phasesMs: { load: 500 } })?.rows).toEqual([
      ["ha-a/internet", "out", "the start", "5 ms", "netem", "6 delivered, 1 lost"],
      ["", "", "breaks, at 2.5 s", "loss 100 %", "", ""],
    ]);
  });
});

describe("progress", () => {
  test("tells once who makes the conditions of a node's links", () => {
    expect(describeEvent(event("ha-a", [out, inbound]))).toBe(
      "link impairments of ha-a/internet out, ha-a/internet in: from user space, this kernel has no netem",
    );
    expect(describeEvent(event("ha-a", [{ ...out, applied: "netem" }]))).toBe(
      "link impairments of ha-a/internet out: by the kernel's netem",
    );
    expect(describeEvent(event("ha-a", [figures]))).toBeUndefined();
  });
});

test("figures are what was delivered and lost, and what else there was", () => {
  expect(describeFigures({ received: 7, delivered: 6, lost: 1, queueFull: 0, duplicated: 2 })).toBe(
    "6 delivered, 1 lost, 2 duplicated",
  );
  expect(describeFigures({ delivered: 3, lost: 0 })).toBe("3 delivered, 0 lost");
});
