import { describe, expect, test } from "vitest";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

const withLinks = (links: string): string =>
  topologyText({
    nodes: `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }`,
    rest: `links: { ${links} }`,
  });

const impairmentOf = (links: string) => nodeOf(resolved(withLinks(links)), "mn").interfaces[0]?.impairment;

describe("the conditions of a link", () => {
  test.each([
    ["delay: 20ms", { delayMs: 20 }],
    ["delay: 1.5s, jitter: 0.25s", { delayMs: 1500, jitterMs: 250 }],
    ["loss: 1%", { lossRate: 0.01 }],
    ["loss: 2.5%, burst: 3", { lossRate: 0.025, lossBurst: 3 }],
    ["duplicate: 100%", { duplicateRate: 1 }],
    ["delay: 5ms, reorder: 10%", { delayMs: 5, reorderRate: 0.1 }],
    ["rate: 20mbit", { rateBitPerSec: 20_000_000 }],
    ["rate: 1.5gbit, queue: 64", { rateBitPerSec: 1_500_000_000, queuePackets: 64 }],
    ["rate: 256kbit", { rateBitPerSec: 256_000 }],
    ["rate: 9600bit", { rateBitPerSec: 9600 }],
  ])("%s holds in both directions", (text, impairment) => {
    expect(impairmentOf(`mn/internet: { ${text} }`)).toEqual({ out: impairment, in: impairment });
  });

  test.each([
    ["out: { delay: 5ms }", { out: { delayMs: 5 } }],
    ["in: { loss: 3% }", { in: { lossRate: 0.03 } }],
    ["out: { delay: 5ms }, in: { delay: 9ms }", { out: { delayMs: 5 }, in: { delayMs: 9 } }],
    [
      "delay: 20ms, loss: 1%, out: { rate: 1mbit, delay: 30ms }",
      { out: { delayMs: 30, lossRate: 0.01, rateBitPerSec: 1e6 }, in: { delayMs: 20, lossRate: 0.01 } },
    ],
    [
      "jitter: 2ms, out: { delay: 5ms }, in: { delay: 9ms }",
      { out: { delayMs: 5, jitterMs: 2 }, in: { delayMs: 9, jitterMs: 2 } },
    ],
  ])("%s: a direction's own keys come first", (text, impairments) => {
    expect(impairmentOf(`mn/internet: { ${text} }`)).toEqual(impairments);
  });

  test("are nobody else's, and nothing where nothing is asked for", () => {
    const topology = resolved(withLinks("mn/internet: { delay: 20ms }, ha-a/internet: {}"));
    expect(
      topology.nodes.flatMap(({ name, interfaces: [own] }) => (own?.impairment === undefined ? [] : [name])),
    ).toEqual(["mn"]);
  });
});

describe("a link that is wrong", () => {
  test.each([
    [
      "mn/interent: { delay: 20ms }",
      'links.mn/interent: expected <node>/<segment> of a node on that segment; found "mn/interent"; did you mean mn/internet?',
    ],
    [
      "elsewhere/nowhere: { delay: 20ms }",
      'links.elsewhere/nowhere: expected <node>/<segment> of a node on that segment; found "elsewhere/nowhere"; there are: ha-a/internet, ha-b/internet, mn/internet',
    ],
    ["mn: { delay: 20ms }", 'links.mn: expected <node>/<segment>, such as nat-a/internet; found "mn"'],
    [
      "mn/internet: { delay: 20 }",
      "links.mn/internet.delay: expected a duration such as 30s, 400ms or 2m; found 20; write 20s or 20ms",
    ],
    ["mn/internet: { loss: 1 }", "links.mn/internet.loss: expected a share from 0% to 100%, such as 0.5%; found 1"],
    [
      "mn/internet: { loss: 101% }",
      'links.mn/internet.loss: expected a share from 0% to 100%, such as 0.5%; found "101%"',
    ],
    ["mn/internet: { rate: 20MB }", 'links.mn/internet.rate: expected a rate such as 20mbit or 256kbit; found "20MB"'],
    [
      "mn/internet: { rate: 0mbit }",
      'links.mn/internet.rate: expected a rate from 8bit to 100gbit; a loss of 100% stops everything; found "0mbit"',
    ],
    [
      "mn/internet: { delai: 20ms }",
      "links.mn/internet.delai: expected a known key; found `delai`; did you mean `delay`?",
    ],
    [
      "mn/internet: { out: { delai: 20ms } }",
      "links.mn/internet.out.delai: expected a known key; found `delai`; did you mean `delay`?",
    ],
    [
      "mn/internet: { jitter: 2ms }",
      "links.mn/internet.jitter: expected `delay` beside `jitter`; found none; add it, or remove `jitter`",
    ],
    [
      "mn/internet: { in: { reorder: 2% } }",
      "links.mn/internet.in.reorder: expected `delay` beside `reorder`; found none; add it, or remove `reorder`",
    ],
    [
      "mn/internet: { burst: 2 }",
      "links.mn/internet.burst: expected `loss` beside `burst`; found none; add it, or remove `burst`",
    ],
    [
      "mn/internet: { queue: 2 }",
      "links.mn/internet.queue: expected `rate` beside `queue`; found none; add it, or remove `queue`",
    ],
    [
      "mn/internet: { delay: 2ms, jitter: 3ms }",
      "links.mn/internet.jitter: expected at most the delay of 2 ms; found 3 ms",
    ],
    [
      "mn/internet: { loss: 80%, burst: 2 }",
      "links.mn/internet.burst: expected longer runs for a loss of 80%: at least 4; found 2",
    ],
  ])("%s is one positioned problem", (links, message) => {
    const [issue, ...others] = issuesOf(withLinks(links));
    expect(issue?.replace(/^\S+ /, "")).toBe(message);
    expect(issue).toMatch(/^t\.yaml:5:\d+ /);
    expect(others).toEqual([]);
  });

  test("is not reported for a node that is wrong in itself", () => {
    const text = topologyText({
      nodes: "h: { role: host, on: 5, image: x }",
      rest: "links: { h/internet: { delay: 1ms } }",
    });
    expect(issuesOf(text)).toHaveLength(1);
  });
});
