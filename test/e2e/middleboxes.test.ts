/** Middleboxes in the kernel prove themselves: what probes see is what is declared, and what is not declared is found out. */

import { expect } from "vitest";
import { renderRules } from "../../orchestrator/render/rules.ts";
import { TestbedError } from "../../orchestrator/support/errors.ts";
import { DEPENDENCE, type Home, homesTopology, type Proven, prove, resolveText } from "../support/middlebox-lab.ts";
import { needs } from "../support/needs.ts";
import { runCli } from "../support/run-cli.ts";

const { describe, test } = await needs("netns");

/** Fails with what is wrong, instead of with an error that hides it. */
function expectRight({ error }: Proven): void {
  expect(error instanceof Error ? error.message : error).toBeUndefined();
}

describe("all nine middleboxes, with and without hairpinning", () => {
  const middleboxes = DEPENDENCE.flatMap((mapping) =>
    DEPENDENCE.flatMap((filtering) => [true, false].map((hairpinning) => ({ mapping, filtering, hairpinning }))),
  );

  test.each(["preserve", "random"])("are seen as declared, ports assigned by %s", async (portAssignment) => {
    const homes = middleboxes.map((middlebox, i): Home => {
      const point = Object.entries({ ...middlebox, portAssignment }).map(([key, value]) => `${key}: ${value}`);
      return { name: String(i), middlebox: `nat: { ${point.join(", ")} }` };
    });
    const proven = await prove(homesTopology(homes));
    expectRight(proven);
    for (const [i, declared] of middleboxes.entries()) {
      const [verification] = proven.verifications.get(`box-${i}`) ?? [];
      expect(verification?.observed).toMatchObject({
        type: "nat",
        ...declared,
        portPreservation: portAssignment === "preserve",
      });
    }
  });
});

test("middleboxes inside of a carrier's middlebox are seen as what both are together", async () => {
  const points = DEPENDENCE.map((each) => `{ mapping: ${each}, filtering: ${each}, hairpinning: true }`);
  const carriers = points.map((_, i) => ({ iface: `street${i}`, name: `carrier${i}` }));
  const homes = carriers.flatMap(({ iface }, i) =>
    points.map((point, j): Home => ({ name: `${i}-${j}`, middlebox: `nat: ${point}`, behind: iface })),
  );
  const text = homesTopology(homes, {
    segments: carriers.map(({ iface }, i) => `  ${iface}: { ipv4: 100.64.${i}.0/24 }`).join("\n"),
    nodes: carriers
      .map(({ name, iface }, i) => `  ${name}: { role: router, wan: internet, lan: ${iface}, nat: ${points[i] ?? ""} }`)
      .join("\n"),
  });
  const proven = await prove(text);
  expectRight(proven);
  for (const i of DEPENDENCE.keys()) {
    for (const j of DEPENDENCE.keys()) {
      const [verification] = proven.verifications.get(`box-${i}-${j}`) ?? [];
      const strictest = DEPENDENCE[Math.max(i, j)];
      expect(verification).toMatchObject({ through: [`box-${i}-${j}`, `carrier${i}`] });
      expect(verification?.observed).toMatchObject({ mapping: strictest, filtering: strictest });
    }
  }
  expect(proven.notProbed.map(({ router }) => router)).toEqual(carriers.map(({ name }) => name));
});

/** A network in place of another, behind a stateful firewall. */
const PREFIX = {
  type: "nat",
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  hairpinning: true,
};

test("firewalls, translated prefixes, plain routers and hosts that share a port are seen as declared", async () => {
  const homes: readonly Home[] = [
    { name: "dual", middlebox: "nat: home-router", ipv6: true, hosts: 2 },
    { name: "drawing", middlebox: "nat: symmetric", hosts: 2 },
    { name: "tunnel", middlebox: "nat: symmetric, firewall: tunnel-only" },
    { name: "blocked", middlebox: "nat: home-router, firewall: udp-blocked" },
    { name: "inner", middlebox: "nat: none", behind: "yard" },
    { name: "even", middlebox: "nat: { preset: symmetric, parity: preserve }", hosts: 2 },
    { name: "mirror", middlebox: "prefixTranslation: { ipv4: 198.18.6.0/24 }, firewall: stateful", hosts: 2 },
    { name: "npt", middlebox: `nat: symmetric, prefixTranslation: { ipv6: "2001:db8:a1::/64" }`, ipv6: true },
  ];
  const text = homesTopology(homes, {
    segments: "  yard: { ipv4: 10.0.0.0/24 }\n  open: { ipv4: 198.18.5.0/24 }",
    nodes: [
      "  box-yard: { role: router, wan: internet, lan: yard, nat: full-cone }",
      "  wall: { role: router, wan: internet, lan: open, firewall: stateful }",
      "  host-open: { role: host, on: open, image: x }",
    ].join("\n"),
  }).replace("lan-inner: { ipv4: 192.168.1.0/24 }", "lan-inner: { ipv4: 10.1.0.0/24 }");
  const proven = await prove(text);
  expectRight(proven);
  const seen = (middlebox: string) => proven.verifications.get(middlebox)?.map(({ observed }) => observed) ?? [];

  const [one, other, ...overIpv6] = seen("box-dual").toSorted((a, b) => (a.type < b.type ? -1 : 1));
  // Both where the one asked again from fresh ports because an answer was late; one otherwise.
  expect([one, other].map((observation) => observation?.type === "nat" && observation.portPreservation)).toContain(
    true,
  );
  expect(new Set([one, other].map((observation) => observation?.type === "nat" && observation.mapped.port)).size).toBe(
    2,
  );
  expect(overIpv6).toEqual(Array(2).fill({ type: "no-nat", filtering: "address-and-port-dependent" }));
  const ports = seen("box-drawing").map((observation) => (observation.type === "nat" ? observation.mapped.port : 0));
  expect(new Set(ports).size).toBe(2);
  expect(seen("box-tunnel")[0]).not.toHaveProperty("mapping");
  expect(seen("box-blocked")).toEqual([{ type: "udp-blocked" }]);
  expect(seen("box-yard")[0]).toMatchObject({ type: "nat", filtering: "endpoint-independent", hairpinning: true });
  expect(seen("box-even")).toMatchObject(Array(2).fill({ portPreservation: false, parityPreservation: true }));
  expect(seen("box-mirror")).toMatchObject(
    [2, 3].map((host) => ({ ...PREFIX, portPreservation: true, mapped: { ip: `198.18.6.${host}` } })),
  );
  expect(
    seen("box-npt").find((observation) => observation.type === "nat" && observation.portPreservation),
  ).toMatchObject({
    ...PREFIX,
    mapped: { ip: "2001:db8:a1::2" },
  });
  expect(seen("wall")).toEqual([{ type: "no-nat", filtering: "address-and-port-dependent" }]);
});

describe("a middlebox that is not what it is declared to be", () => {
  const BARE_MASQUERADE = `table ip mice_nat {
  chain outward {
    type nat hook postrouting priority srcnat - 5; policy accept;
    oifname "internet" masquerade;
  }
}
`;

  /** The rules of this middlebox in place of what the declared one loads. */
  function rulesOf(middlebox: string) {
    const router = resolveText(homesTopology([{ name: "x", middlebox }])).nodes.find(({ name }) => name === "box-x");
    if (router?.role !== "router") throw new Error("no middlebox");
    return (lan: string, address: string) =>
      renderRules({ ...router, lan: [lan] }).map(({ tool, text }) => ({
        tool,
        text: text.replaceAll("198.18.0.3", address),
      }));
  }

  test("is blamed, with what it is instead; the others are not", async () => {
    const homes: readonly Home[] = [
      { name: "right", middlebox: "nat: full-cone" },
      { name: "mapping", middlebox: "nat: { preset: full-cone, hairpinning: false }" },
      { name: "filter", middlebox: "nat: port-restricted-cone" },
      { name: "loop", middlebox: "nat: { preset: port-restricted-cone, hairpinning: true }" },
      { name: "shared", middlebox: "nat: port-restricted-cone", hosts: 2 },
      { name: "parity", middlebox: "nat: { preset: symmetric, parity: preserve }" },
      { name: "absent", middlebox: "nat: port-restricted-cone" },
    ];
    const instead: Readonly<Record<string, ReturnType<typeof rulesOf>>> = {
      "box-mapping": rulesOf(
        "nat: { mapping: address-and-port-dependent, filtering: endpoint-independent, portAssignment: preserve }",
      ),
      "box-filter": rulesOf("nat: restricted-cone"),
      "box-parity": rulesOf("nat: symmetric"),
      "box-loop": rulesOf("nat: port-restricted-cone"),
    };
    const { error, verifications } = await prove(homesTopology(homes), {
      change(node) {
        const [wan, lan] = node.setup.interfaces;
        const address = wan?.addresses[0]?.split("/")[0] ?? "";
        const rules = instead[node.name]?.(lan?.interfaceName ?? "", address);
        if (rules !== undefined) return { ...node, setup: { ...node.setup, rules } };
        const policy = node.setup.rules.filter(({ tool }) => tool !== "nft");
        if (node.name === "box-absent") return { ...node, setup: { ...node.setup, rules: policy } };
        const bare = [...policy, { tool: "nft" as const, text: BARE_MASQUERADE }];
        return node.name === "box-shared" ? { ...node, setup: { ...node.setup, rules: bare } } : node;
      },
    });
    expect(error).toBeInstanceOf(TestbedError);
    const { code, exitCode, message } = error as TestbedError;
    expect({ code, exitCode }).toEqual({ code: "behaviour-mismatch", exitCode: 3 });
    expect(message).toContain(
      "router box-mapping declared mapping endpoint-independent, observed address-and-port-dependent (asked by host0-mapping on lan-mapping over IPv4)",
    );
    expect(message).toContain(
      "router box-filter declared filtering address-and-port-dependent, observed address-dependent",
    );
    expect(message).toContain(
      "router box-parity declared even ports for even ports, odd ones for odd ones, observed others",
    );
    expect(message).toContain("router box-loop declared hairpinning, observed none");
    // Plain masquerading keeps both hosts' ports where they talk to different peers, and no longer where they meet.
    expect(message).toMatch(/router box-shared declared mapping endpoint-independent, observed address-/);
    expect(message).toMatch(
      /router box-shared declared an outside port for each inside host, observed 198\S+ for both/,
    );
    expect(message).toMatch(/router box-absent declared mapping .* observed no UDP at all/);
    expect(message).not.toContain("box-right");
    expect(verifications.get("box-right")?.[0]?.differences).toEqual([]);
  });

  test("is blamed for a forward that leads nowhere or elsewhere, and for a port that is open beside it", async () => {
    const forwarding = (port: number, toPort: number, protocol = "udp") =>
      `nat: home-router, forwards: [{ protocol: ${protocol}, port: ${port}, to: 192.168.1.2, toPort: ${toPort} }]`;
    const names = ["right", "absent", "elsewhere", "wide", "tcp", "udp-alone"];
    const homes = names.map((name, i): Home => ({ name, middlebox: forwarding(8080, 80, i < 4 ? "udp" : "tcp") }));
    const instead: Readonly<Record<string, ReturnType<typeof rulesOf>>> = {
      "box-absent": rulesOf("nat: home-router"),
      "box-elsewhere": rulesOf(forwarding(8080, 81)),
      "box-udp-alone": rulesOf(forwarding(8080, 80)),
      "box-wide": rulesOf(
        "nat: home-router, forwards: [{ protocol: udp, port: 8080, to: 192.168.1.2, toPort: 80 }, { protocol: udp, port: 8081, to: 192.168.1.2 }]",
      ),
    };
    const { error } = await prove(homesTopology(homes), {
      change(node) {
        const [wan, lan] = node.setup.interfaces;
        const rules = instead[node.name]?.(lan?.interfaceName ?? "", wan?.addresses[0]?.split("/")[0] ?? "");
        return rules === undefined ? node : { ...node, setup: { ...node.setup, rules } };
      },
    });
    expect((error as TestbedError).message.split("\n")).toEqual([
      "router box-absent declared UDP 198.18.0.4:8080 forwarded to host0-absent:80, observed nothing there (sent by stun)",
      "router box-elsewhere declared UDP 198.18.0.5:8080 forwarded to host0-elsewhere:80, observed host0-elsewhere:81 (sent by stun)",
      "router box-wide declared no way in for UDP to 198.18.0.6:8081, observed one to host0-wide:8081 (sent by stun)",
      "router box-udp-alone declared TCP 198.18.0.8:8080 forwarded to host0-udp-alone:80, observed nothing there (sent by stun)",
    ]);
  });
});

describe("the lifetime of mappings", () => {
  const homes: readonly Home[] = [
    { name: "two", middlebox: "nat: { preset: full-cone, udpLifetime: 2s }" },
    { name: "out", middlebox: "nat: { preset: port-restricted-cone, udpLifetime: 3s, refresh: outbound }" },
    { name: "wall", middlebox: "nat: none, firewall: { preset: stateful, udpIdle: 3s }", ipv6: true },
    { name: "draws", middlebox: "nat: { preset: symmetric, udpLifetime: 3s }" },
  ];

  test("is measured as declared, to half a second", async () => {
    // A plain router's home needs a network of its own.
    const text = homesTopology(homes).replace("lan-wall: { ipv4: 192.168.1.0/24", "lan-wall: { ipv4: 10.0.0.0/24");
    const proven = await prove(text, { lifetimes: true });
    expectRight(proven);
    for (const [name, seconds] of Object.entries({ two: 2, out: 3, wall: 3, draws: 3 })) {
      const inboundRefresh = name !== "out";
      const refreshes = { outboundRefresh: true, inboundRefresh };
      const observed = { aliveAfterMs: 1000 * seconds - 500, goneAfterMs: 1000 * seconds + 500, ...refreshes };
      expect(proven.lifetimes.get(`box-${name}`)).toMatchObject({ declaredSec: seconds, observed, differences: [] });
    }
  });

  test("that packets from outside prolong against the declaration is found out", async () => {
    const middlebox = (refresh: string) =>
      `nat: { preset: port-restricted-cone, udpLifetime: 2s, refresh: ${refresh} }`;
    const other = resolveText(homesTopology([{ name: "a", middlebox: middlebox("both") }])).nodes.find(
      ({ name }) => name === "box-a",
    );
    if (other?.role !== "router") throw new Error("no middlebox");
    const { error } = await prove(homesTopology([{ name: "a", middlebox: middlebox("outbound") }]), {
      lifetimes: true,
      change: (node) =>
        node.name === "box-a" ? { ...node, setup: { ...node.setup, rules: renderRules(other) } } : node,
    });
    expect(error).toBeInstanceOf(TestbedError);
    expect((error as TestbedError).message).toBe(
      "router box-a declared mappings not kept alive by inbound packets, observed kept",
    );
  });

  test("of a middlebox that forgets sooner than declared is found out", async () => {
    const { error } = await prove(
      homesTopology([{ name: "a", middlebox: "nat: { preset: symmetric, udpLifetime: 4s }" }]),
      {
        lifetimes: true,
        change: (node) => ({
          ...node,
          sysctls: Object.fromEntries(
            Object.entries(node.sysctls).map(([key, value]) => [key, key.includes("conntrack_udp") ? "2" : value]),
          ),
        }),
      },
    );
    expect(error).toBeInstanceOf(TestbedError);
    const { code, message } = error as TestbedError;
    expect(code).toBe("behaviour-mismatch");
    expect(message).toMatch(/^router box-a declared UDP lifetime 4 s, observed none after 2(\.\d)? s of silence$/);
  });
});

test("testbed probe prints what it saw, or gives it as JSON", async () => {
  const plain = await runCli(["probe", "nat-nat", "symmetric-symmetric", "open-open", "--runtime", "netns"]);
  expect({ exitCode: plain.exitCode, stderr: plain.stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(plain.stdout).toMatch(/pass {5}nat-a {3}mn on home-lan, IPv4 {2}endpoint-independent/);
  expect(plain.stdout).toMatch(/pass {5}nat-a {3}mn on home-lan, IPv4 {2}address-and-port-dependent/);
  expect(plain.stdout).toContain("open-open\nno NAT or firewall to verify");

  const json = await runCli(["probe", "nat-nat", "--runtime", "netns", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    topology: "nat-nat",
    verdict: "pass",
    routers: [
      { name: "nat-a", agrees: true, observed: { mapping: "endpoint-independent" }, probes: [{ node: "mn" }] },
      { name: "nat-b", agrees: true, probes: [{ node: "cn" }] },
    ],
  });
});
