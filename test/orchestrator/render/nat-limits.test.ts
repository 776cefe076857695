import { describe, expect, test } from "vitest";
import { countersOf } from "../../../agent/src/io/network/rule-counters.ts";
import { planProbes } from "../../../orchestrator/plan/probe-plan.ts";
import { renderRules } from "../../../orchestrator/render/rules.ts";
import { describeMiddlebox } from "../../../orchestrator/topology/describe/describe-middlebox.ts";
import { blockOf } from "../../../orchestrator/topology/model/inside-hosts.ts";
import { predictSession } from "../../../orchestrator/topology/predict/predict.ts";
import { issuesOf, resolved, routerOf, twoHomes } from "../topology/sample.ts";

const topologyOf = (nat: string, other = "full-cone") => resolved(twoHomes(`nat: ${nat}`, `nat: ${other}`));

function rulesOf(nat: string): string {
  const rules = renderRules(routerOf(topologyOf(nat), "nat-a"));
  return rules.find(({ tool }) => tool === "nft")?.text ?? "";
}

describe("a host's mappings are limited", () => {
  test("they are a set with room for no more, in which they stay while they live", () => {
    const text = rulesOf("{ preset: full-cone, mappingsPerHost: 4 }");
    expect(text).toContain("counter mappingsPerHost {");
    expect(text).toContain("size 4\n");
    expect(text).toContain(
      "meta l4proto udp ip saddr 192.168.1.2 ct original ip saddr . ct original proto-src != @held_1 jump admit_1;",
    );
    expect(text).toContain("add @held_1 { ct original ip saddr . ct original proto-src } return;");
    expect(text).toContain("counter name mappingsPerHost drop;");
    expect(text).toContain(
      "meta l4proto udp ct original ip saddr 192.168.1.2 update @held_1 { ct original ip saddr . ct original proto-src };",
    );
  });

  test("so is how fast they are made", () => {
    expect(rulesOf("{ preset: full-cone, mappingsPerSecond: 20 }")).toContain(
      "meta l4proto udp add @pace { ip saddr limit rate over 20/second burst 20 packets } counter name mappingsPerSecond drop;",
    );
  });

  test("the model knows when there is no mapping left", () => {
    const predicted = (limit: number) => {
      const topology = topologyOf(`{ preset: symmetric, mappingsPerHost: ${limit} }`);
      const [session] = topology.sessions;
      if (session === undefined) throw new Error("no session");
      return predictSession(topology, session);
    };
    expect(predicted(1)).toMatchObject({ path: "none" });
    expect(predicted(2)).toMatchObject({ path: "home-agents" });
    expect(predicted(2).why.join()).toContain("192.168.1.2 has the 2 mappings that a host may have");
    expect(predicted(8)).toMatchObject({ path: "direct" });
  });

  test("a probe that would starve the nodes is not sent, and the reason is told", () => {
    const reasons = (keys: string) => planProbes(topologyOf(`{ preset: symmetric, ${keys} }`)).notProbed;
    expect(reasons("mappingsPerHost: 40")).toEqual([
      {
        router: "nat-a",
        lan: "home-a",
        reason: "nat-a has room for 32 more mappings of mn, and probes could take up to 36",
      },
    ]);
    expect(reasons("mappingsPerHost: 44")).toEqual([]);
    expect(reasons("mappingsPerSecond: 16")).toEqual([
      {
        router: "nat-a",
        lan: "home-a",
        reason: "nat-a lets mn make 16 mappings a second, and probes could take those of its nodes",
      },
    ]);
    expect(reasons("mappingsPerSecond: 17")).toEqual([]);
  });

  test("what is dropped is counted by key, over all tables", () => {
    const counter = (name: string, packets: number) => ({ counter: { name, packets } });
    const json = JSON.stringify({
      nftables: [{ metainfo: {} }, counter("mappingsPerHost", 3), counter("mappingsPerHost", 4)],
    });
    expect(countersOf(json)).toEqual({ "nat.mappingsPerHost": 7 });
  });
});

describe("blocks of ports", () => {
  const NAT = "{ preset: carrier-grade, portAssignment: block, blockSize: 16, ports: 2000-2999 }";

  test("each host draws from its own, and from nothing else when that is full", () => {
    const text = rulesOf(NAT);
    expect(text).toContain("1 : 2000, 2 : 2001,");
    expect(text).toContain("16 : 2015,\n");
    expect(text).toMatch(/meta l4proto udp ip saddr 192\.168\.1\.2 ct mark set jhash .* mod 16 seed 0x\w+ offset 1;/);
    expect(text).toContain("meta l4proto udp counter name blockSize drop;");
  });

  test("the n-th host has the n-th block, and a probe must see it", () => {
    const topology = topologyOf(NAT);
    const router = routerOf(topology, "nat-a");
    expect(router.insideHosts).toEqual(["192.168.1.2"]);
    expect(blockOf(router, "192.168.1.2")).toEqual({ first: 2000, last: 2015 });
    expect(describeMiddlebox(router)).toContain("blocks of 16 ports");
    const wide = topologyOf(NAT.replace("16", "64"));
    expect(planProbes(wide).probes[0]).toMatchObject({ drawnFrom: { first: 2000, last: 2063 } });
  });
});

test.each([
  ["mappingsPerHost: 0", "nat-a.nat.mappingsPerHost: expected a number of at least 1; found 0"],
  ["mappingsPerSecond: 0", "nat-a.nat.mappingsPerSecond: expected a number of at least 1; found 0"],
  ["blockSize: 64", "nat-a.nat.blockSize: expected `portAssignment: block`"],
  ["portAssignment: block", "nat-a.nat: expected `blockSize`"],
  ["portAssignment: block, blockSize: 7", "nat-a.nat.blockSize: expected a number of at least 8; found 7"],
  ["portAssignment: block, blockSize: 64, parity: preserve", "nat-a.nat.parity: expected any"],
  [
    "portAssignment: block, blockSize: 64, ports: 2000-2010",
    "nat-a.nat.blockSize: expected a block for each of 1 inside hosts within the 11 ports",
  ],
])("nat: { %s } is refused, with its place", (keys, said) => {
  const issues = issuesOf(twoHomes(`nat: { preset: symmetric, ${keys} }`, "nat: symmetric"));
  expect(issues.join("\n")).toContain(said);
  expect(issues).toContainEqual(expect.stringMatching(/^t\.yaml:\d+:\d+ /));
});

test("plain masquerading has flows and no mappings that could be limited", () => {
  const overload = "mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload";
  expect(issuesOf(twoHomes(`nat: { ${overload}, mappingsPerHost: 4 }`, "nat: symmetric")).join()).toContain(
    "nodes.nat-a.nat.mappingsPerHost: expected no `mappingsPerHost`",
  );
});
