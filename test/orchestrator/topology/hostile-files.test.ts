/** Files that nobody in his right mind writes: each is refused in words and in time, or means what it says. */

import { describe, expect, test } from "vitest";
import { drawTopology } from "../../../orchestrator/report/html/topology-picture.ts";
import { manyForwards, manyHomes, rowOfRouters, unknownKeys } from "./large-topologies.ts";
import { issuesOf, nodeOf, resolved, topologyText } from "./sample.ts";

describe("routers inside of themselves", () => {
  const circle = (gateway: string): string =>
    topologyText({
      segments: "a: { ipv4: 10.1.0.0/24 }, b: { ipv4: 10.2.0.0/24 }",
      nodes: `edge: { role: router, wan: internet, lan: a },
  r1: { role: router, wan: a, lan: b${gateway} },
  r2: { role: router, wan: b, lan: a }`,
    });

  test("beside a way out are named", () => {
    expect(issuesOf(circle(", gateway: edge"))).toEqual([
      "t.yaml:5:3 nodes.r1: expected routers one inside of the other; found a circle: r1 → r2 → r1, each with its `wan` on a `lan` of the one before; change a `wan`",
    ]);
  });

  test("are named beside what else is wrong with them", () => {
    expect(issuesOf(circle("")).map((issue) => issue.replace(/^\S+ /, ""))).toEqual([
      expect.stringMatching(/^nodes\.r1: expected routers one inside of the other; found a circle: r1 → r2 → r1/),
      "nodes.r1.wan: expected one router that serves a; found edge and r2; add `gateway` to r1",
    ]);
  });

  test("are refused behind NATs too", () => {
    expect(issuesOf(circle(", gateway: edge, nat: symmetric"))).toContainEqual(expect.stringContaining("a circle"));
  });
});

test("routers in parallel, one pair behind the other, announce each network once", () => {
  const steps = Array.from({ length: 40 }, (_, i) => i);
  const text = topologyText({
    segments: ["s0: { ipv4: 10.0.0.0/24 }", ...steps.map((i) => `s${i + 1}: { ipv4: 10.0.${i + 1}.0/24 }`)].join(", "),
    nodes: steps
      .flatMap((i) =>
        ["l", "r"].map((side) => {
          const gateway = i === 0 ? "" : `, gateway: l${i - 1}`;
          return `${side}${i}: { role: router, wan: s${i}, lan: s${i + 1}${gateway} }`;
        }),
      )
      .join(", "),
  });
  expect(nodeOf(resolved(text), "l0").routes).toHaveLength(39);
});

describe("lists and mappings inside of each other", () => {
  const tooDeep =
    /^t\.yaml:\d+:\d+ expected YAML; found: more lists and mappings inside of each other than can be read/;

  test.each([
    ["lists of dashes", "- ".repeat(3000)],
    ["lists of dashes, each on its line", Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}-\n`).join("")],
    ["keys", Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    ["questions", "? ".repeat(3000)],
    ["keys in one line", "a: ".repeat(3000)],
    ["a few more than the format needs", `name: ${"[".repeat(40)}${"]".repeat(40)}`],
  ])("%s", (_, text) => {
    expect(issuesOf(text)).toEqual([expect.stringMatching(tooDeep)]);
  });
});

describe("names that JavaScript's objects have already", () => {
  test.each([
    ["a segment", topologyText({ segments: "__proto__: { ipv4: 10.0.0.0/24 }" }), "segments.__proto__"],
    ["a node", topologyText({ nodes: "__proto__: { role: router, wan: internet, lan: internet }" }), "nodes.__proto__"],
    [
      "a variable",
      topologyText({ nodes: "h: { role: host, on: internet, image: x, environment: { __proto__: x } }" }),
      "nodes.h.environment.__proto__",
    ],
    ["a key of the file", `${topologyText({})}__proto__: { name: other }\n`, "__proto__"],
  ])("%s called __proto__ is refused", (_, text) => {
    expect(issuesOf(text)).toContainEqual(
      expect.stringMatching(/^t\.yaml:\d+:\d+ expected another name; found `__proto__`, which is reserved; rename it$/),
    );
  });

  test("a segment called constructor has an interface that a node can list", () => {
    const topology = resolved(
      topologyText({
        segments: "constructor: { ipv4: 10.0.0.0/24 }",
        nodes: "h: { role: host, on: constructor, image: x }, constructor: { role: host, on: constructor, image: x }",
      }),
    );
    expect(topology.segments.map(({ interfaceName }) => interfaceName)).toEqual(["internet", "net-constructor"]);
    expect(topology.nodes.map(({ interfaces }) => interfaces[0]?.ipv4)).toEqual(["10.0.0.2/24", "10.0.0.3/24"]);
  });

  test.each(["constructor", "toString", "hasOwnProperty"])("the key %s is unknown like any other", (key) => {
    const text = topologyText({ nodes: `h: { role: host, on: internet, image: x, ${key}: 1 }` });
    expect(issuesOf(text)).toEqual([expect.stringContaining(`expected a known key; found \`${key}\``)]);
  });
});

test("what a problem quotes of a file is one line, in characters that show", () => {
  const text = topologyText({
    nodes: 'h: { role: host, on: "\\e[2J\\e]0;t\\a\\nfake.yaml:1:1 all is well\\u202e\\x9b", image: x }',
  });
  expect(issuesOf(text)).toEqual([
    't.yaml:4:31 nodes.h.on: expected a segment; found "\\u001b[2J\\u001b]0;t\\u0007\\nfake.yaml:1:1 all is well\\u202e\\u009b"; there are: internet',
  ]);
});

test("aliases are counted", () => {
  const text = `a: &a x\nb: [${"*a,".repeat(101)}]\n`;
  expect(issuesOf(text)).toEqual([expect.stringContaining("found: more than 100 aliases")]);
});

/** Processor time far longer than any of these takes, and far shorter than any took that grew with the square. */
const IN_TIME_MS = 2000;
const TIMEOUT_MS = 30_000;

/** The processor time of this thread: others may be busy. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

describe("in time", () => {
  test.each([
    ["unknown keys", unknownKeys(20_000), 20_000],
    ["keys that occur twice", `${unknownKeys(10_000)}${unknownKeys(10_000)}`, 20_004],
    ["references to nobody", strangers(400), 400],
  ])("%s are all found", { timeout: TIMEOUT_MS }, (_, text, count) => {
    const startedAt = cpuMs();
    expect(issuesOf(text).length).toBe(count);
    expect(cpuMs() - startedAt).toBeLessThan(IN_TIME_MS);
  });

  test.each([
    ["brackets", "[".repeat(900_000)],
    ["braces", "{a: ".repeat(200_000)],
    ["dashes", "- ".repeat(400_000)],
  ])("%s without end are told where they are too many", { timeout: TIMEOUT_MS }, (_, text) => {
    const startedAt = cpuMs();
    expect(issuesOf(text)).toEqual([expect.stringMatching(/^t\.yaml:1:\d{2,3} expected YAML; found: more lists and/)]);
    expect(cpuMs() - startedAt).toBeLessThan(IN_TIME_MS);
  });

  test("brackets and dashes in text are text", () => {
    const summary = `"${"[".repeat(100)}" # ${"- ".repeat(100)}`;
    const text = topologyText({ rest: `links: {}` }).replace("For a test", summary);
    expect(issuesOf(text)).toEqual([]);
  });

  test.each([
    ["250 segments in a row", rowOfRouters(250)],
    ["240 homes", manyHomes(240)],
    ["1000 forwards", manyForwards(1000)],
  ])("%s are resolved", { timeout: TIMEOUT_MS }, (_, text) => {
    const startedAt = cpuMs();
    expect(issuesOf(text)).toEqual([]);
    expect(cpuMs() - startedAt).toBeLessThan(IN_TIME_MS);
  });

  test("250 segments in a row are drawn", { timeout: TIMEOUT_MS }, () => {
    const startedAt = cpuMs();
    expect(String(drawTopology(resolved(rowOfRouters(250))))).toContain("r249");
    expect(cpuMs() - startedAt).toBeLessThan(IN_TIME_MS);
  });

  test.each([
    ["300 segments", rowOfRouters(300), "segments: expected at most 250 entries; found 300"],
    ["1000 homes", manyHomes(1000), "nodes: expected at most 500 entries; found 2021"],
    ["20000 forwards", manyForwards(20_000), "nodes.nat.forwards: expected at most 1000 entries; found 20000"],
  ])("%s are more than a topology holds, and nothing else is said", { timeout: TIMEOUT_MS }, (_, text, said) => {
    const startedAt = cpuMs();
    expect(issuesOf(text)).toContainEqual(expect.stringContaining(said));
    expect(issuesOf(text).every((issue) => issue.endsWith("; a topology holds no more"))).toBe(true);
    expect(cpuMs() - startedAt).toBeLessThan(2 * IN_TIME_MS);
  });
});

/** Mobile nodes whose home agents there are not. */
function strangers(count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return topologyText({
    segments: numbers
      .slice(0, 10)
      .map((i) => `s${i}: { ipv4: 10.0.${i}.0/24 }`)
      .join(", "),
    nodes: numbers.map((i) => `m${i}: { role: mobile-node, on: s${i % 10}, homeAgent: h${i} }`).join(", "),
  });
}
