import { describe, expect, test } from "vitest";
import { renderFirewall } from "../../../orchestrator/render/firewall.ts";
import { renderTcpNat } from "../../../orchestrator/render/nat-tcp.ts";
import type { ResolvedRouter } from "../../../orchestrator/topology/model/resolved.ts";
import { resolved, routerOf, twoHomes } from "../topology/sample.ts";

/** The NAT of this text. */
function natOf(nat: string): ResolvedRouter {
  return routerOf(resolved(twoHomes(`nat: ${nat}`, "nat: symmetric")), "nat-a");
}

/** The rules of one chain of the TCP table. */
function chain(nat: string, name: string): readonly string[] {
  const [, body = ""] = (renderTcpNat(natOf(nat)) ?? "").split(`  chain ${name} {\n`);
  return (body.split("\n  }\n")[0] ?? "").split("\n").map((line) => line.trim());
}

const CONE = "{ preset: port-restricted-cone, ports: 50000-50004 }";

test("TCP has a table of its own, with mappings of its own", () => {
  const table = renderTcpNat(natOf(CONE)) ?? "";
  expect(table).toMatch(/^table ip mice_nat_tcp\ndelete table ip mice_nat_tcp\ntable ip mice_nat_tcp \{\n/);
  expect(table).not.toMatch(/udp [sd]port|l4proto udp|l4proto != udp/);
  expect(chain(CONE, "translate").slice(1, 3)).toEqual([
    "meta l4proto tcp snat ip to 198.18.0.4:ct original ip saddr . ct original proto-src map @own;",
    "tcp sport != @used add @port_claims { tcp sport limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4;",
  ]);
});

test("segments with a name like a protocol keep it", () => {
  const text = twoHomes(`nat: ${CONE}`, "nat: symmetric").replaceAll(/\bhome-a\b/g, "udp");
  expect(renderTcpNat(routerOf(resolved(text), "nat-a"))).toContain('iifname "internet" oifname { "udp" }');
});

test("a behaviour that is said of TCP alone is in this table", () => {
  const nat =
    "{ preset: port-restricted-cone, tcp: { mapping: address-dependent, filtering: endpoint-independent, hairpinning: true } }";
  expect(chain(nat, "inward").slice(1)).toEqual([
    'iifname "internet" ip daddr 198.18.0.4 meta l4proto tcp dnat ip to tcp dport map @ext;',
    'iifname { "home-a" } ip daddr 198.18.0.4 meta l4proto tcp dnat ip to tcp dport map @ext;',
  ]);
  expect(chain(nat, "translate")[1]).toContain(
    "ct original ip saddr . ct original proto-src . ct original ip daddr map @own;",
  );
});

test("a forwarded port leads in and is connected from", () => {
  const router: ResolvedRouter = {
    ...natOf(CONE),
    forwards: [{ protocol: "tcp", port: 50001, to: "192.168.1.9", toPort: 80 }],
  };
  const table = renderTcpNat(router) ?? "";
  expect(table).toContain('iifname "internet" ip daddr 198.18.0.4 tcp dport 50001 dnat ip to 192.168.1.9:80;');
  expect(table).toContain("ip saddr 192.168.1.9 tcp sport 80 snat ip to 198.18.0.4:50001;");
  expect(table).toContain("tcp sport != { 50001 } tcp sport != @used");
  expect(table).not.toContain(": 50001,");
});

test("plain MASQUERADE has no table for TCP alone: its one table is for both protocols", () => {
  const overload = "{ mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload }";
  expect(renderTcpNat(natOf(overload))).toBeUndefined();
});

describe("idle times", () => {
  const nat = "{ preset: port-restricted-cone, tcp: { established: 10m, transitory: 1m } }";

  test("everything is recorded for the transitory time, and for longer where the connection is open", () => {
    expect(renderTcpNat(natOf(nat))).toContain("timeout 60s");
    expect(chain(nat, "prolong").slice(0, 4)).toEqual([
      "type filter hook postrouting priority srcnat + 51; policy accept;",
      "ct state new accept;",
      "ct expiration <= 60s accept;",
      "meta l4proto != tcp accept;",
    ]);
    expect(chain(nat, "prolong_opened_inside")).toEqual([
      "meta l4proto tcp update @own { ct original ip saddr . ct original proto-src timeout 600s : tcp sport };",
      "meta l4proto tcp update @ext { tcp sport timeout 600s : ct original ip saddr . ct original proto-src };",
      "update @used { tcp sport timeout 600s };",
      "ct mark != 0 update @slots { ct mark timeout 600s };",
    ]);
  });

  test("nothing is prolonged where both are equal", () => {
    const equal = "{ preset: port-restricted-cone, tcp: { established: 1m, transitory: 1m } }";
    expect(renderTcpNat(natOf(equal))).not.toContain("prolong");
  });
});

test.each([
  ["drop", "drop", []],
  ["drop", "reset", ["-A INPUT -i internet -p tcp -m tcp --syn -j REJECT --reject-with tcp-reset"]],
  ["drop", "icmp", ["-A INPUT -i internet -p tcp -m tcp --syn -j REJECT --reject-with icmp-port-unreachable"]],
  ["reject", "drop", ["-A INPUT -i internet -p tcp -m tcp --syn -j DROP"]],
  ["reject", "icmp", []],
])("a firewall that would %s, and an unsolicited SYN: %s", (denied, unsolicitedSyn, rules) => {
  const text = `{ preset: port-restricted-cone, tcp: { unsolicitedSyn: ${unsolicitedSyn} } }, firewall: { preset: stateful, denied: ${denied} }`;
  const lines = renderFirewall(natOf(text), 4).split("\n");
  expect(lines.filter((line) => line.includes("--syn"))).toEqual(rules);
});
