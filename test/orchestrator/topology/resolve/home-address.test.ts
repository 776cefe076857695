import { expect, test } from "vitest";
import { issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

/** A home agent with the first keys, and a mobile node with the second. */
function withHome(homeAgent: string, mobileNode = ""): string {
  return topologyText({
    nodes: `ha: { role: home-agent, on: internet, ${homeAgent} },
      mn: { role: mobile-node, on: internet, homeAgent: ha, ${mobileNode} }`,
  });
}

test("a node is not given the address that its home agent has", () => {
  const text = withHome('homePrefix: "2001:db8:a::/64", address: "2001:db8:a::100"');
  expect(nodeOf(resolved(text), "mn")).toMatchObject({ homeAddress: "2001:db8:a::101" });
});

test.each([
  [
    "of its home agent",
    withHome('homePrefix: "2001:db8:a::/64"', 'homeAddress: "2001:db8:a::1"'),
    "nodes.mn.homeAddress: expected a home address of its own; found 2001:db8:a::1, which ha has; change one",
  ],
  [
    "of another network",
    withHome('homePrefix: "2001:db8:a::/64"', 'homeAddress: "2001:db8:f::1"'),
    "nodes.mn.homeAddress: expected an address inside the home prefix 2001:db8:a::/64 of ha; found 2001:db8:f::1",
  ],
  [
    "of all routers of the home prefix",
    withHome('homePrefix: "2001:db8:a::/64"', 'homeAddress: "2001:db8:a::"'),
    "nodes.mn.homeAddress: expected an address of one node inside the home prefix 2001:db8:a::/64 of ha; found 2001:db8:a::, the subnet-router anycast address",
  ],
  [
    "for which the home prefix is too long",
    withHome('homePrefix: "2001:db8:a::/120"'),
    "nodes.ha.homePrefix: expected a home prefix with room for home addresses, which count from ::100 in it; found 2001:db8:a::/120; write a shorter one, or give mn a `homeAddress`",
  ],
])("a home address %s is reported", (_name, text, message) => {
  expect(issuesOf(text).map((issue) => issue.replace(/^\S+ /, ""))).toEqual([message]);
});

test("a home prefix without room is reported once, whatever number of nodes it has none for", () => {
  const text = topologyText({
    nodes: `ha: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/120" },
      m1: { role: mobile-node, on: internet, homeAgent: ha, homeAddress: "2001:db8:a::2" },
      m2: { role: mobile-node, on: internet, homeAgent: ha },
      m3: { role: mobile-node, on: internet, homeAgent: ha }`,
  });
  expect(issuesOf(text).map((issue) => issue.replace(/^\S+ /, ""))).toEqual([
    "nodes.ha.homePrefix: expected a home prefix with room for home addresses, which count from ::100 in it; found 2001:db8:a::/120; write a shorter one, or give m2 a `homeAddress`",
  ]);
});

test.each([
  ["2001:db8:f::1", "expected an address inside the home prefix 2001:db8:a::/64; found 2001:db8:f::1"],
  [
    "2001:db8:a::",
    "expected an address of one node inside the home prefix 2001:db8:a::/64; found 2001:db8:a::, the subnet-router anycast address",
  ],
])("a home agent that cannot have the address %s is reported once", (address, message) => {
  const text = withHome(`homePrefix: "2001:db8:a::/64", address: "${address}"`);
  expect(issuesOf(text).map((issue) => issue.replace(/^\S+ /, ""))).toEqual([`nodes.ha.address: ${message}`]);
});

test("a long home prefix is enough for a home address that the file gives", () => {
  const text = withHome('homePrefix: "2001:db8:a::/120"', 'homeAddress: "2001:db8:a::2"');
  expect(nodeOf(resolved(text), "mn")).toMatchObject({ homeAddress: "2001:db8:a::2" });
});
