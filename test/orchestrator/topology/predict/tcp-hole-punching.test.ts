import { expect, test } from "vitest";
import { withoutLength } from "../../../../orchestrator/topology/model/address-text.ts";
import { predictTcpHolePunching, type TcpEnd } from "../../../../orchestrator/topology/predict/tcp-hole-punching.ts";
import { nodeOf, resolved, topologyText } from "../sample.ts";

function predicted(a: string, b: string) {
  const topology = resolved(
    topologyText({
      segments: "lan-a: { ipv4: 192.168.1.0/24 }, lan-b: { ipv4: 192.168.1.0/24 }",
      nodes: `server: { role: host, on: internet, image: x },
        router-a: { role: router, wan: internet, lan: lan-a, ${a} },
        router-b: { role: router, wan: internet, lan: lan-b, ${b} },
        a: { role: host, on: lan-a, image: x },
        b: { role: host, on: lan-b, image: x }`,
    }),
  );
  const end = (name: string, port: number): TcpEnd => {
    const node = nodeOf(topology, name);
    return { node, socket: { ip: withoutLength(node.interfaces[0]?.ipv4 ?? ""), port } };
  };
  return predictTcpHolePunching(topology, { from: end("a", 6000), to: end("b", 6000) }, end("server", 5000));
}

const CONE = "nat: port-restricted-cone";
const SYMMETRIC = "nat: symmetric";
const answering = (answer: string): string =>
  `nat: { preset: port-restricted-cone, tcp: { unsolicitedSyn: ${answer} } }`;

test.each([
  [CONE, CONE, "direct"],
  [SYMMETRIC, CONE, "none"],
  [SYMMETRIC, "nat: restricted-cone", "direct"],
  [SYMMETRIC, "nat: full-cone", "direct"],
  [SYMMETRIC, SYMMETRIC, "none"],
  // Only what is declared for TCP counts.
  ["nat: { preset: port-restricted-cone, tcp: { mapping: address-and-port-dependent } }", CONE, "none"],
  ["nat: { preset: symmetric, tcp: { mapping: endpoint-independent } }", CONE, "direct"],
  [CONE, answering("reset"), "timing"],
  [CONE, answering("icmp"), "timing"],
  [CONE, "nat: port-restricted-cone, firewall: { inbound: stateful, denied: reject }", "timing"],
  // A NAT that lets everybody in has nothing to refuse.
  [CONE, "nat: { preset: full-cone, tcp: { unsolicitedSyn: reset } }", "direct"],
  [SYMMETRIC, "nat: symmetric, forwards: [{ protocol: tcp, port: 6000, to: b, toPort: 6000 }]", "direct"],
  [SYMMETRIC, "nat: symmetric, forwards: [{ protocol: udp, port: 6000, to: b, toPort: 6000 }]", "none"],
  [CONE, "nat: port-restricted-cone, firewall: tunnel-only", "direct"],
])("%s and %s: %s", (a, b, path) => {
  expect(predicted(a, b).path).toBe(path);
  expect(predicted(b, a).path).toBe(path);
});

test("the reasons name the NATs", () => {
  expect(predicted(CONE, SYMMETRIC).why).toContain(
    "b: its SYN to a at 198.18.0.3:6000 fails: router-b sends it from a mapping of its own for this address and port; router-a drops it: it filters by address and port, and from that outside port nothing was sent there.",
  );
});
