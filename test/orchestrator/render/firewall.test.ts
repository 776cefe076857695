import { describe, expect, test } from "vitest";
import { renderFirewall } from "../../../orchestrator/render/firewall.ts";
import { renderRules } from "../../../orchestrator/render/rules.ts";
import type { ResolvedFirewall, ResolvedRouter } from "../../../orchestrator/topology/model/resolved.ts";
import { resolved, routerOf, topologyText } from "../topology/sample.ts";

/** A router with two inside segments. */
function middleboxWith(keys: string): ResolvedRouter {
  const segments = 'home: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:2::/64" }, den: { ipv4: 192.168.2.0/24 }';
  const nodes = `middlebox: { role: router, wan: internet, lan: [home, den], ${keys} }`;
  return routerOf(resolved(topologyText({ segments, nodes })), "middlebox");
}

test("a home router: IPv4 lets translated packets in, IPv6 is stateful beside it", () => {
  const router = middleboxWith("nat: home-router");
  expect(renderFirewall(router, 4)).toMatchInlineSnapshot(`
    "*filter
    :INPUT DROP [0:0]
    :FORWARD DROP [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -i lo -j ACCEPT
    -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A INPUT -p icmp -j ACCEPT
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
    -A FORWARD -i home -o internet -j ACCEPT
    -A FORWARD -i den -o internet -j ACCEPT
    COMMIT
    "
  `);
  expect(renderFirewall(router, 6)).toMatchInlineSnapshot(`
    "*filter
    :INPUT DROP [0:0]
    :FORWARD DROP [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -i lo -j ACCEPT
    -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A INPUT -p ipv6-icmp -j ACCEPT
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A FORWARD -i home -o internet -j ACCEPT
    -A FORWARD -i den -o internet -j ACCEPT
    COMMIT
    "
  `);
});

test("a plain router is open, between its inside segments too", () => {
  expect(renderFirewall(middleboxWith("nat: none"), 4)).toMatchInlineSnapshot(`
    "*filter
    :INPUT DROP [0:0]
    :FORWARD DROP [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -i lo -j ACCEPT
    -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A INPUT -p icmp -j ACCEPT
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A FORWARD -i home -o internet -j ACCEPT
    -A FORWARD -i den -o internet -j ACCEPT
    -A FORWARD -i internet -o home -j ACCEPT
    -A FORWARD -i internet -o den -j ACCEPT
    -A FORWARD -i home -o den -j ACCEPT
    -A FORWARD -i den -o home -j ACCEPT
    COMMIT
    "
  `);
});

describe("UDP from inside", () => {
  const udpRules = (keys: string): readonly string[] =>
    renderFirewall(middleboxWith(keys), 4)
      .split("\n")
      .filter((line) => line.includes("-i home -o internet"));

  test("blocked: dropped before anything else leaves", () => {
    expect(udpRules("firewall: udp-blocked")).toEqual([
      "-A FORWARD -i home -o internet -p udp -j DROP",
      "-A FORWARD -i home -o internet -j ACCEPT",
    ]);
  });

  test("some ports only", () => {
    expect(udpRules("firewall: { preset: stateful, outboundUdp: [53, 443] }")).toEqual([
      "-A FORWARD -i home -o internet -p udp -m udp --dport 53 -j ACCEPT",
      "-A FORWARD -i home -o internet -p udp -m udp --dport 443 -j ACCEPT",
      "-A FORWARD -i home -o internet -p udp -j DROP",
      "-A FORWARD -i home -o internet -j ACCEPT",
    ]);
  });
});

test("a middlebox that rejects says so by ICMP, of UDP from inside and of all that no rule lets through", () => {
  const router = middleboxWith("nat: home-router, firewall: { preset: udp-blocked, denied: reject }");
  const rejected = ([4, 6] as const).map((family) =>
    renderFirewall(router, family)
      .split("\n")
      .filter((line) => line.includes("REJECT")),
  );
  expect(rejected).toEqual(
    ["icmp-admin-prohibited", "icmp6-adm-prohibited"].map((word) => [
      `-A FORWARD -i home -o internet -p udp -j REJECT --reject-with ${word}`,
      `-A FORWARD -i den -o internet -p udp -j REJECT --reject-with ${word}`,
      `-A INPUT -j REJECT --reject-with ${word}`,
      `-A FORWARD -j REJECT --reject-with ${word}`,
    ]),
  );
  expect(renderFirewall(router, 4).split("\n").slice(-4)).toEqual([
    "-A INPUT -j REJECT --reject-with icmp-admin-prohibited",
    "-A FORWARD -j REJECT --reject-with icmp-admin-prohibited",
    "COMMIT",
    "",
  ]);
});

test("pinholes stand in the text of their IP version, Mobility Headers by protocol number", () => {
  const pinholes: ResolvedFirewall["pinholes"] = [
    { protocol: "udp", to: "192.168.1.9", port: 4191 },
    { protocol: "udp", to: "2001:db8:0:2::9", port: 4191, from: "2001:db8::/32" },
    { protocol: "mh", to: "2001:db8:0:2::9" },
  ];
  const router = middleboxWith("firewall: stateful");
  const withHoles = { ...router, firewall: { ...router.firewall, pinholes } };
  const holes = (family: 4 | 6): readonly string[] =>
    renderFirewall(withHoles, family)
      .split("\n")
      .filter((line) => line.includes("-d "));
  expect(holes(4)).toEqual(["-A FORWARD -i internet -d 192.168.1.9 -p udp -m udp --dport 4191 -j ACCEPT"]);
  expect(holes(6)).toEqual([
    "-A FORWARD -i internet -s 2001:db8::/32 -d 2001:db8:0:2::9 -p udp -m udp --dport 4191 -j ACCEPT",
    "-A FORWARD -i internet -d 2001:db8:0:2::9 -p 135 -j ACCEPT",
  ]);
});

test("a middlebox loads policy for both IP versions, and one nft table if it translates", () => {
  expect(renderRules(middleboxWith("nat: symmetric")).map(({ tool }) => tool)).toEqual([
    "iptables",
    "ip6tables",
    "nft",
  ]);
  expect(renderRules(middleboxWith("nat: none")).map(({ tool }) => tool)).toEqual(["iptables", "ip6tables"]);
});

test("a stray packet that may claim a port is accepted, from outside and over IPv4 only", () => {
  const overload = "mapping: endpoint-independent, filtering: address-and-port-dependent, portAssignment: overload";
  const router = middleboxWith(`nat: { ${overload}, unsolicited: poison }`);
  const accepted = "-A INPUT -i internet -p udp -j ACCEPT";
  expect(renderFirewall(router, 4)).toContain(accepted);
  expect(renderFirewall(router, 6)).not.toContain(accepted);
  expect(renderFirewall(middleboxWith(`nat: { ${overload} }`), 4)).not.toContain(accepted);
});
