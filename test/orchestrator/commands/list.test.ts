import { expect, test } from "vitest";
import { describeTopology, readable } from "../../../orchestrator/commands/list.ts";

function describeText(text: string) {
  return describeTopology("sample", readable(text));
}

const MIDDLEBOXES = `
  nat-a: { role: router, wan: internet, lan: home-lan, nat: full-cone }
  nat-b: { role: router, wan: internet, lan: [cafe-lan, office-lan], nat: { preset: symmetric, hairpinning: true } }
  nat-c: { role: router, wan: internet, lan: c-lan, nat: { mapping: endpoint-independent } }
  fw: { role: router, wan: internet, lan: d-lan, firewall: stateful }
  one: { role: router, wan: internet, lan: e-lan, prefixTranslation: { ipv4: 198.18.1.0/24 } }
  two: { role: router, wan: internet, lan: f-lan, prefixTranslation: { ipv6: "2001:db8:f::/64" } }`;

test.each([
  ["home-lan", "office-lan", "full-cone × symmetric"],
  ["c-lan", "d-lan", "own NAT × firewall"],
  ["internet", "home-lan", "none × full-cone"],
  ["e-lan", "f-lan", "1:1 NAT × NPTv6"],
])("ends on %s and %s are behind %s", (mn, cn, edges) => {
  const nodes = `${MIDDLEBOXES}\n  mn: { role: mobile-node, on: ${mn} }\n  cn: { role: correspondent-node, on: [${cn}] }`;
  expect(describeText(`nodes:${nodes}\nsessions: [{ from: mn, to: cn }]`).edges).toBe(edges);
});

test("the expected paths are told one after the other", () => {
  expect(describeText("expect: [{ path: direct, selected: [host, host] }, { lost: 0 }, { path: none }]").paths).toEqual(
    ["direct", "none"],
  );
});

test("the expected path stands with the selected pair, where the file names one", () => {
  expect(describeText("expect: [{ path: direct, selected: [host, relayed] }]").expected).toBe("direct: host → relayed");
  expect(describeText("expect: [{ path: home-agents }]").expected).toBe("home-agents");
});

test.each(["", "[]", "nodes: 7\nsessions: { a: b }\nexpect: x", "text"])(
  "%j is listed with what can be read of it",
  (text) => {
    expect(describeText(text)).toEqual({ name: "sample", summary: "", edges: "-", paths: [], expected: "-" });
  },
);

test("a file that is no YAML is listed with what can be read of it", () => {
  expect(describeText("expect: [{ path: none }]\nsummary: A colon: here").expected).toBe("none");
});

test("a file whose aliases lead nowhere is listed by its name", () => {
  expect(describeText("summary: *x\n")).toEqual({ name: "sample", summary: "", edges: "-", paths: [], expected: "-" });
});
