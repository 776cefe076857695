import { expect, test } from "vitest";
import { daemonsOf } from "../../../../orchestrator/plan/daemons/daemons.ts";
import { portPools } from "../../../../orchestrator/render/drawn-ports.ts";
import { resolved, routerOf, topologyText } from "../../topology/sample.ts";

function routerWith(keys: string) {
  const segments = "world: { ipv4: 11.22.33.0/24 }, home: { ipv4: 192.168.1.0/24 }";
  const nodes = `r: { role: router, wan: world, lan: home, ${keys} }, server: { role: stun-server, on: home }`;
  return routerOf(resolved(topologyText({ segments, nodes })), "r");
}

test("hosts map ports to themselves, and none that the NAT draws or forwards for good", () => {
  const router = routerWith(
    `nat: { preset: home-router, ports: 50000-50002, portMapping: [pcp, upnp] },
     forwards: [{ protocol: tcp, port: 8080, to: server }]`,
  );
  const [daemon] = daemonsOf(router, []);
  expect(daemon).toMatchObject({
    name: "miniupnpd",
    command: ["miniupnpd", "-d", "-f", "/dev/stdin", "-P", "/nonexistent/miniupnpd.pid"],
    readyOutput: "NAT-PMP/PCP traffic on port 5351",
  });
  expect(daemon?.configuration.replace(/^uuid=.*$/m, "uuid=…")).toBe(`ext_ifname=world
listening_ip=home
ipv6_disable=yes
enable_natpmp=yes
enable_upnp=yes
http_port=5000
upnp_table_name=mice_port_mapping
upnp_nat_table_name=mice_port_mapping
upnp_forward_chain=mapped_forward
upnp_nat_chain=mapped_inward
upnp_nat_postrouting_chain=mapped_outward
secure_mode=yes
clean_ruleset_interval=0
uuid=…
deny 8080-8080 0.0.0.0/0 0-65535
deny 50000-50002 0.0.0.0/0 0-65535
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`);
});

test("of a wide range, exactly the ports that may be drawn are refused", () => {
  const router = routerWith("nat: { preset: home-router, portMapping: [upnp] }");
  const refused = daemonsOf(router, [])[0]
    ?.configuration.match(/^deny \d+-\d+ 0\.0\.0\.0\/0 0-65535$/gm)
    ?.slice(0, -1)
    .flatMap((line) => {
      const [first = 0, last = 0] = (line.match(/\d+/g) ?? []).map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
  const drawn = router.nat === undefined ? [] : portPools(router.nat, []).flatMap(({ ports }) => ports);
  expect(refused).toEqual(drawn.toSorted((a, b) => a - b));
});

test("a router without requests runs no daemon", () => {
  expect(daemonsOf(routerWith("nat: home-router"), [])).toEqual([]);
});
