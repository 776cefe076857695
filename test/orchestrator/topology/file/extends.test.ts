import { describe, expect, test } from "vitest";
import { expandHosts } from "../../../../orchestrator/topology/file/extends.ts";

const BASE = {
  role: "host",
  on: "lan",
  image: "debian:12",
  command: "peer",
  environment: { ROLE: "offerer", PORT: 1 },
};

function expanded(entry: unknown, others: Readonly<Record<string, unknown>> = {}): unknown {
  const { data, issues } = expandHosts({ nodes: { base: BASE, ...others, h: entry } });
  expect(issues).toEqual([]);
  return (data as { readonly nodes: Readonly<Record<string, unknown>> }).nodes["h"];
}

describe("a host that extends another", () => {
  test("takes what it does not say, and single variables of the environment", () => {
    expect(expanded({ extends: "base", on: "wan", environment: { ROLE: "answerer" } })).toEqual({
      ...BASE,
      on: "wan",
      environment: { ROLE: "answerer", PORT: 1 },
    });
  });

  test("takes from a host that extends another one itself", () => {
    const others = { middle: { extends: "base", on: "middle" } };
    expect(expanded({ extends: "middle", command: "other" }, others)).toEqual({
      ...BASE,
      on: "middle",
      command: "other",
    });
  });

  test("has one source: a folder in place of the image", () => {
    const { image: _, ...rest } = BASE;
    expect(expanded({ extends: "base", build: "./stack" })).toEqual({ ...rest, build: "./stack" });
  });
});

test.each([
  ["no host of this name", "bsae", 'expected a host to extend; found "bsae"; did you mean base?'],
  ["a node that is no host", "nat", "expected a host to extend; found nat, which is none; write the entry whole"],
  ["another value", 7, "expected the name of a host; found another value; write a name"],
  ["itself", "h", "expected a host to extend; found a circle: h → h; write one of them whole"],
])("a host that extends %s is reported at the name", (_, base, message) => {
  const { issues } = expandHosts({ nodes: { base: BASE, nat: { role: "router" }, h: { extends: base, on: "lan" } } });
  expect(issues).toMatchObject([{ path: ["nodes", "h", "extends"], message }]);
});

test("a circle of hosts is reported at each of them", () => {
  const { issues } = expandHosts({ nodes: { a: { extends: "b" }, b: { extends: "a" } } });
  expect(issues.map(({ path }) => path[1])).toEqual(["a", "b"]);
});
