import { describe, expect, test } from "vitest";
import { planBehind } from "./middlebox-topology.ts";

const STRICTNESS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
type Dependence = (typeof STRICTNESS)[number];
const NINE = STRICTNESS.flatMap((mapping) => STRICTNESS.map((filtering) => ({ mapping, filtering })));

function nat(middlebox: { mapping: Dependence; filtering: Dependence }, more = ""): string {
  return `nat: { mapping: ${middlebox.mapping}, filtering: ${middlebox.filtering}${more} }`;
}

function expectedBehind(middleboxes: readonly string[], ipv6 = false) {
  const { probes } = planBehind(middleboxes, { ipv6 });
  return probes.find(({ ipVersion }) => (ipVersion === 6) === ipv6)?.expected;
}

describe("one middlebox", () => {
  test.each(NINE.flatMap((middlebox) => [true, false].map((hairpinning) => ({ ...middlebox, hairpinning }))))(
    "is seen as mapping $mapping, filtering $filtering, hairpinning $hairpinning",
    (middlebox) => {
      const { mapping, filtering, hairpinning } = middlebox;
      expect(expectedBehind([nat(middlebox, `, hairpinning: ${hairpinning}`)])).toMatchObject({
        type: "nat",
        mapping,
        filtering,
        hairpinning,
      });
    },
  );

  test.each([
    ["preserve", true],
    ["random", false],
    ["sequential", false],
  ])("ports assigned by %s: kept %s", (portAssignment, portPreservation) => {
    const [middlebox] = NINE;
    if (middlebox === undefined) throw new Error("no middlebox");
    expect(expectedBehind([nat(middlebox, `, portAssignment: ${portAssignment}`)])).toMatchObject({ portPreservation });
  });

  test.each([
    ["nat: port-restricted-cone, firewall: udp-blocked", { type: "udp-blocked" }],
    ["nat: port-restricted-cone, firewall: tunnel-only", { type: "nat", mapping: "endpoint-independent" }],
    ["firewall: stateful", { type: "no-nat", filtering: "address-and-port-dependent" }],
    [
      "firewall: { inbound: stateful, pinholes: [{ protocol: udp, to: inside, from: 198.18.0.2 }] }",
      { type: "no-nat", filtering: "address-dependent" },
    ],
    [
      "firewall: { inbound: stateful, pinholes: [{ protocol: udp, to: inside }] }",
      { type: "no-nat", filtering: "endpoint-independent" },
    ],
  ])("%s is seen as what its firewall leaves", (middlebox, expected) => {
    expect(expectedBehind([middlebox])).toMatchObject(expected);
  });

  test("a mapping that the firewall hides half of cannot be told", () => {
    expect(expectedBehind(["nat: symmetric, firewall: tunnel-only"])).not.toHaveProperty("mapping");
  });

  test.each([
    ["stateful", "address-and-port-dependent"],
    ["open", "endpoint-independent"],
  ])(
    "a translated prefix behind a firewall that is %s filters %s, and every host has its own address",
    (firewall, filtering) => {
      const seen = {
        type: "nat",
        mapping: "endpoint-independent",
        filtering,
        hairpinning: true,
        portPreservation: true,
      };
      const middlebox = (prefix: string) => `prefixTranslation: { ${prefix} }, firewall: ${firewall}`;
      const behind4 = expectedBehind([middlebox("ipv4: 198.18.1.0/24")]);
      const behind6 = expectedBehind([middlebox('ipv6: "2001:db8:a1::/64"')], true);
      expect(behind4).toMatchObject({ ...seen, mapped: { ip: "198.18.1.2" } });
      expect(behind6).toMatchObject({ ...seen, mapped: { ip: "2001:db8:a1::2" } });
    },
  );

  test("over IPv6 nothing is translated, and a stateful middlebox filters", () => {
    expect(expectedBehind(["nat: full-cone"], true)).toEqual({
      type: "no-nat",
      filtering: "address-and-port-dependent",
    });
  });
});

describe("a middlebox inside of another", () => {
  const strictest = (a: Dependence, b: Dependence): Dependence =>
    STRICTNESS[Math.max(STRICTNESS.indexOf(a), STRICTNESS.indexOf(b))] ?? a;
  const pairs = NINE.flatMap((inner) => NINE.map((outer) => ({ inner, outer })));

  test("maps by whatever one of them looks at, and filters as the stricter of them", () => {
    for (const { inner, outer } of pairs) {
      expect(expectedBehind([nat(inner), nat(outer)]), JSON.stringify({ inner, outer })).toMatchObject({
        mapping: strictest(inner.mapping, outer.mapping),
        filtering: strictest(inner.filtering, outer.filtering),
      });
    }
  });

  test("packets turn round at the outer one, where the inner one's filter knows whom it sees", () => {
    for (const { inner, outer } of pairs) {
      const mapping = strictest(inner.mapping, outer.mapping);
      // The inner filter sees the outside address of the other socket: known by address if the inner NAT maps all
      // destinations alike, by port too if the outer NAT does.
      const isKnown =
        inner.filtering === "endpoint-independent" ||
        mapping === "endpoint-independent" ||
        (inner.filtering === "address-dependent" && inner.mapping === "endpoint-independent");
      const behind = (turns: boolean) => expectedBehind([nat(inner), nat(outer, `, hairpinning: ${turns}`)]);
      expect(behind(true), JSON.stringify({ inner, outer })).toMatchObject({ hairpinning: isKnown });
      expect(behind(false), JSON.stringify({ inner, outer })).toMatchObject({ hairpinning: false });
    }
  });

  test.each([
    ["preserve", "preserve", true],
    ["preserve", "random", false],
    ["random", "preserve", false],
  ])("ports %s inside, %s outside: kept %s", (inside, outside, portPreservation) => {
    const middlebox = (portAssignment: string): string =>
      `nat: { preset: port-restricted-cone, portAssignment: ${portAssignment} }`;
    expect(expectedBehind([middlebox(inside), middlebox(outside)])).toMatchObject({ portPreservation });
  });

  test("a firewall in front of an open middlebox filters for both", () => {
    expect(expectedBehind(["nat: full-cone", "firewall: stateful"])).toMatchObject({
      type: "nat",
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
    });
  });
});
