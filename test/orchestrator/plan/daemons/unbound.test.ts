import { expect, test } from "vitest";
import { buildPlan } from "../../../../orchestrator/plan/build-plan.ts";
import { issuesOf, resolved, topologyText } from "../../topology/sample.ts";

const TOPOLOGY = resolved(
  topologyText({
    segments: "lan: { ipv4: 192.168.1.0/24, dns: names }",
    nodes: `names: { role: dns, on: internet },
      nat: { role: router, wan: internet, lan: lan, nat: port-restricted-cone },
      asker: { role: host, on: lan, command: [dig, names] }`,
  }),
);

const setupOf = (node: string) =>
  buildPlan(TOPOLOGY, { capture: false }).nodes.find(({ name }) => name === node)?.setup;

test("a name server answers for every node of the lab, in both directions, and for nothing else", () => {
  const [daemon, ...others] = setupOf("names")?.daemons ?? [];
  expect(others).toEqual([]);
  expect(daemon).toMatchObject({ name: "unbound", command: ["unbound", "-d", "-p", "-c", "/dev/stdin"] });
  expect(daemon?.configuration).toBe(`server:
  verbosity: 1
  chroot: ""
  username: ""
  directory: ""
  logfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  interface: 198.18.0.2
  interface: 2001:db8:0:1::2
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  local-zone: "." static
  local-data: "names. 60 IN A 198.18.0.2"
  local-data: "names. 60 IN AAAA 2001:db8:0:1::2"
  local-data: "nat. 60 IN A 198.18.0.3"
  local-data: "nat. 60 IN AAAA 2001:db8:0:1::3"
  local-data: "asker. 60 IN A 192.168.1.2"
  local-data-ptr: "198.18.0.2 60 names."
  local-data-ptr: "2001:db8:0:1::2 60 names."
  local-data-ptr: "198.18.0.3 60 nat."
  local-data-ptr: "2001:db8:0:1::3 60 nat."
  local-data-ptr: "192.168.1.2 60 asker."
remote-control:
  control-enable: no
`);
});

test("DNS64: a name with IPv4 alone gets the IPv6 address that stands for it, any other none", () => {
  const text = topologyText({
    segments: "old: { ipv4: 198.18.1.0/24 }",
    nodes: `names: { role: dns, on: internet, dns64: "64:ff9b::/96" },
      gate: { role: router, wan: internet, lan: old },
      server: { role: host, on: old, command: [/bin/true] }`,
  });
  const [names] = buildPlan(resolved(text), { capture: false }).nodes;
  const aaaa = (names?.setup.daemons?.[0]?.configuration ?? "").match(/local-data: ".*AAAA.*"/g);
  expect(aaaa).toEqual([
    'local-data: "names. 60 IN AAAA 2001:db8:0:1::2"',
    'local-data: "gate. 60 IN AAAA 2001:db8:0:1::3"',
    'local-data: "server. 60 IN AAAA 64:ff9b::c612:102"',
    'local-data: "ipv4only.arpa. 60 IN AAAA 64:ff9b::c000:aa"',
    'local-data: "ipv4only.arpa. 60 IN AAAA 64:ff9b::c000:ab"',
  ]);
  expect(issuesOf(text.replace("/96", "/95")).join()).toContain("expected a prefix of 32, 40, 48, 56, 64, 96 bits");
});

test("a host with a name server knows its own name alone", () => {
  expect(setupOf("asker")).toMatchObject({
    nameServers: ["198.18.0.2"],
    hosts: [{ name: "asker", address: "192.168.1.2" }],
  });
});

test("the other nodes know all names, and no name server", () => {
  expect(setupOf("nat")).not.toHaveProperty("nameServers");
  expect(setupOf("nat")?.hosts.map(({ name }) => name)).toEqual(["names", "names", "nat", "nat", "asker"]);
});
