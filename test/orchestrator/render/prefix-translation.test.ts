import { expect, test } from "vitest";
import { renderFirewall } from "../../../orchestrator/render/firewall.ts";
import { renderRules } from "../../../orchestrator/render/rules.ts";
import { resolved, routerOf, topologyText } from "../topology/sample.ts";

/** A router with one dual-stack LAN. */
function middlebox(keys: string) {
  const topology = resolved(
    topologyText({
      segments: 'site: { ipv4: 10.0.0.0/24, ipv6: "fd00:a::/64" }',
      nodes: `edge: { role: router, wan: internet, lan: site, ${keys} }`,
    }),
  );
  return routerOf(topology, "edge");
}

test("each prefix is one table that exchanges networks both ways, and turns packets round", () => {
  const rules = renderRules(
    middlebox('prefixTranslation: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:a1::/64" }, firewall: stateful'),
  );
  expect(rules.map(({ tool }) => tool)).toEqual(["iptables", "ip6tables", "nft"]);
  const table = (family: string, inside: string, outside: string) => `table ${family} mice_prefix
delete table ${family} mice_prefix
table ${family} mice_prefix {
  chain outward {
    type nat hook postrouting priority srcnat - 5; policy accept;
    oifname "internet" snat ${family} prefix to ${family} saddr map { ${inside} : ${outside} };
    iifname { "site" } oifname { "site" } ct status dnat snat ${family} prefix to ${family} saddr map { ${inside} : ${outside} };
  }

  chain inward {
    type nat hook prerouting priority dstnat - 5; policy accept;
    dnat ${family} prefix to ${family} daddr map { ${outside} : ${inside} };
  }
}
`;
  expect(rules[2]?.text).toBe(
    `${table("ip", "10.0.0.0/24", "198.18.1.0/24")}\n${table("ip6", "fd00:a::/64", "2001:db8:a1::/64")}`,
  );
});

test("translation opens the firewall to nobody outside, only to neighbours that are turned round", () => {
  const edge = middlebox('prefixTranslation: { ipv6: "2001:db8:a1::/64" }, firewall: stateful');
  const forward = renderFirewall(edge, 6)
    .split("\n")
    .filter((line) => line.startsWith("-A FORWARD"));
  expect(forward).toEqual([
    "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-A FORWARD -i site -o internet -j ACCEPT",
    "-A FORWARD -i site -o site -m conntrack --ctstate DNAT -j ACCEPT",
  ]);
  expect(renderFirewall(edge, 4)).not.toContain("DNAT");
});

test("one middlebox maps ports over IPv4 and prefixes over IPv6", () => {
  const text = renderRules(middlebox('nat: symmetric, prefixTranslation: { ipv6: "2001:db8:a1::/64" }'))[2]?.text;
  expect(text).toContain("table ip mice_nat {");
  expect(text).toContain("table ip6 mice_prefix {");
});
