import { describe, expect, test } from "vitest";
import { renderFirewall } from "../../../orchestrator/render/firewall.ts";
import { renderPortMapping } from "../../../orchestrator/render/port-mapping.ts";
import { renderRules } from "../../../orchestrator/render/rules.ts";
import type { ResolvedRouter } from "../../../orchestrator/topology/model/resolved.ts";
import { resolved, routerOf, topologyText } from "../topology/sample.ts";

function routerWith(nat: string): ResolvedRouter {
  const segments = "world: { ipv4: 11.22.33.0/24 }, home: { ipv4: 192.168.1.0/24 }, den: { ipv4: 192.168.2.0/24 }";
  const nodes = `r: { role: router, wan: world, lan: [home, den], nat: ${nat} }`;
  return routerOf(resolved(topologyText({ segments, nodes })), "r");
}

test("the chains of mapped ports see a packet before the NAT's do, IPv4 alone", () => {
  const router = routerWith("{ preset: home-router, portMapping: [pcp, nat-pmp, upnp] }");
  expect(renderPortMapping(router)).toBe(`table inet mice_port_mapping
delete table inet mice_port_mapping
table inet mice_port_mapping {
  chain inward {
    type nat hook prerouting priority dstnat - 6; policy accept;
    meta nfproto ipv4 jump mapped_inward;
  }

  chain outward {
    type nat hook postrouting priority srcnat - 6; policy accept;
    meta nfproto ipv4 jump mapped_outward;
  }

  chain mapped_inward {
  }

  chain mapped_outward {
  }

  chain mapped_forward {
  }
}
`);
  expect(renderRules(router).at(-1)?.text).toContain("table inet mice_port_mapping {");
});

test("requests of an undeclared protocol of the shared port are dropped by their version", () => {
  const rule = (protocols: string) =>
    renderPortMapping(routerWith(`{ preset: home-router, portMapping: [${protocols}] }`))
      ?.split("\n")
      .filter((line) => line.includes("5351"));
  expect(rule("pcp")).toEqual(["    udp dport 5351 @th,64,8 0 drop;"]);
  expect(rule("nat-pmp, upnp")).toEqual(["    udp dport 5351 @th,64,8 2 drop;"]);
  expect(rule("pcp, nat-pmp")).toEqual([]);
});

describe("the firewall", () => {
  const admitted = (protocols: string) =>
    renderFirewall(routerWith(`{ preset: home-router, portMapping: [${protocols}] }`), 4)
      .split("\n")
      .filter((line) => line.includes("dport"));

  test("admits requests from every inside segment, and none from outside", () => {
    expect(admitted("nat-pmp")).toEqual([
      "-A INPUT -i home -p udp -m udp --dport 5351 -j ACCEPT",
      "-A INPUT -i den -p udp -m udp --dport 5351 -j ACCEPT",
    ]);
  });

  test("admits UPnP's discovery and actions", () => {
    expect(admitted("upnp").slice(0, 2)).toEqual([
      "-A INPUT -i home -p udp -m udp --dport 1900 -j ACCEPT",
      "-A INPUT -i home -p tcp -m tcp --dport 5000 -j ACCEPT",
    ]);
  });

  test("admits nothing where no port is mapped by request", () => {
    expect(renderPortMapping(routerWith("home-router"))).toBeUndefined();
    expect(renderFirewall(routerWith("home-router"), 4)).not.toContain("dport");
  });
});
