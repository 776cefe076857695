import { describe, expect, test } from "vitest";
import { homeAgentAddresses } from "../../../../orchestrator/topology/model/server-addresses.ts";
import { createNetworkModel } from "../../../../orchestrator/topology/predict/network-model.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, routerOf, topologyText } from "../sample.ts";

const LAN = "home: { ipv4: 192.168.1.0/24 }";

function withMiddlebox(keys: string): string {
  const nodes = `middlebox: { role: router, wan: internet, lan: home, ${keys} }, inside: { role: host, on: home, image: x },
    out: { role: host, on: internet, image: x }`;
  return topologyText({ segments: LAN, nodes });
}

test("the inside port is the outside one unless given, and a node stands for its address inside", () => {
  const forwards =
    "[{ protocol: udp, port: 80, to: inside, toPort: 8080 }, { protocol: tcp, port: 80, to: 192.168.1.9 }]";
  expect(routerOf(resolved(withMiddlebox(`nat: symmetric, forwards: ${forwards}`)), "middlebox").forwards).toEqual([
    { protocol: "udp", port: 80, to: "192.168.1.2", toPort: 8080 },
    { protocol: "tcp", port: 80, to: "192.168.1.9", toPort: 80 },
  ]);
});

test.each([
  ["nat: none, forwards: [{ protocol: udp, port: 80, to: inside }]", "expected address translation (`nat`)"],
  [
    "nat: symmetric, forwards: [{ protocol: udp, port: 80, to: out }]",
    "expected a node inside, in 192.168.1.0/24; found out (198.18.0.3)",
  ],
  [
    "nat: symmetric, forwards: [{ protocol: udp, port: 80, to: nobody }]",
    'expected a node or an IPv4 address; found "nobody"',
  ],
  [
    "nat: symmetric, forwards: [{ protocol: udp, port: 80, to: inside }, { protocol: udp, port: 80, to: inside, toPort: 9 }]",
    "t.yaml:4:154 nodes.middlebox.forwards[1].port: expected each outside port once; found udp 80 again",
  ],
])("%s is refused", (keys, message) => {
  expect(issuesOf(withMiddlebox(keys)).join("\n")).toContain(message);
});

describe("predicted", () => {
  const keys = "nat: port-restricted-cone, forwards: [{ protocol: udp, port: 80, to: inside, toPort: 8080 }]";
  const topology = resolved(withMiddlebox(keys));
  const [out, inside] = [nodeOf(topology, "out"), nodeOf(topology, "inside")];
  const stranger = { ip: "198.18.0.3", port: 7 };

  test("strangers come in by the port, and the socket behind it is seen with it", () => {
    const network = createNetworkModel(topology);
    expect(network.send(out, { source: stranger, destination: { ip: "198.18.0.2", port: 80 } })).toMatchObject({
      at: { name: "inside" },
      packet: { source: stranger, destination: { ip: "192.168.1.2", port: 8080 } },
      remarks: ["middlebox lets it in: it forwards that port"],
    });
    const call = { source: { ip: "192.168.1.2", port: 8080 }, destination: { ip: "198.18.0.3", port: 9 } };
    expect(network.send(inside, call)).toMatchObject({ packet: { source: { ip: "198.18.0.2", port: 80 } } });
  });

  test("nobody else inside gets the port, though middleboxes keep ports", () => {
    const call = { source: { ip: "192.168.1.2", port: 80 }, destination: stranger };
    const delivery = createNetworkModel(topology).send(inside, call);
    expect(delivery).toMatchObject({ arrived: true, packet: { source: { ip: "198.18.0.2", port: 49152 } } });
  });
});

describe("a home agent inside", () => {
  const PORTS = (to: string) =>
    `forwards: [{ protocol: udp, port: 4191, to: ${to} }, { protocol: udp, port: 3478, to: ${to} }]`;
  const SEGMENTS = `street: { ipv4: 100.64.0.0/24, ipv6: "2001:db8:3:1::/64" }, office: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:3:2::/64" }, home: { ipv4: 192.168.1.0/24 }`;
  const NODES = (outer: string, inner: string, mn: string) => `
    outer: { role: router, wan: internet, lan: street, ${outer} },
    inner: { role: router, wan: street, lan: office, ${inner} },
    nat-a: { role: router, wan: internet, lan: home, nat: symmetric },
    ha-b: { role: home-agent, on: internet, homePrefix: "2001:db8:b::/64" },
    ha-a: { role: home-agent, on: office, homePrefix: "2001:db8:a::/64" },
    mn: { role: mobile-node, on: ${mn}, homeAgent: ha-a }, cn: { role: correspondent-node, on: internet, homeAgent: ha-b }`;
  const lab = (outer: string, inner: string, mn: string) =>
    topologyText({ segments: SEGMENTS, nodes: NODES(outer, inner, mn), rest: "sessions: [{ from: mn, to: cn }]" });
  const addresses = (text: string) => {
    const topology = resolved(text);
    const [mn, homeAgent] = [nodeOf(topology, "mn"), nodeOf(topology, "ha-a")];
    if (homeAgent.role !== "home-agent") throw new Error("no home agent");
    return homeAgentAddresses(topology, mn, homeAgent);
  };
  const both = [`nat: home-router, ${PORTS("inner")}`, `nat: home-router, ${PORTS("ha-a")}`] as const;

  test.each([
    ["home", "198.18.0.2", "the outermost middlebox's"],
    ["street", "100.64.0.2", "its own middlebox's"],
    ["office", "192.168.1.2", "its own"],
  ])("is known on %s by %s, %s address", (mn, address) => {
    expect(addresses(lab(...both, mn))[0]).toBe(address);
  });

  test("is known by the address that stands for its own where prefixes are translated", () => {
    const mirror = "prefixTranslation: { ipv4: 198.18.7.0/24 }";
    expect(addresses(lab(mirror, `nat: home-router, ${PORTS("ha-a")}`, "home"))[0]).toBe("198.18.7.2");
  });

  test("carries the session of a node that knows it only by the middlebox", () => {
    const topology = resolved(lab(...both, "home"));
    const [session] = topology.sessions;
    if (session === undefined) throw new Error("no session");
    expect(predictSession(topology, session)).toMatchObject({ path: "direct", selected: ["peer-reflexive", "host"] });
  });

  test("that one port does not lead to is not reached, and what to do is said", () => {
    const half = "nat: home-router, forwards: [{ protocol: udp, port: 4191, to: ha-a }]";
    expect(issuesOf(lab(both[0], half, "home")).join("\n")).toContain(
      "let the middlebox in front of ha-a forward UDP 4191 and 3478",
    );
  });
});

test("a home agent in the open is known by its own addresses", () => {
  const nodes = `${HOME_AGENTS}, mn: { role: mobile-node, on: internet, homeAgent: ha-a }`;
  const topology = resolved(topologyText({ nodes }));
  const [mn, homeAgent] = [nodeOf(topology, "mn"), nodeOf(topology, "ha-a")];
  if (homeAgent.role !== "home-agent") throw new Error("no home agent");
  expect(homeAgentAddresses(topology, mn, homeAgent)).toEqual(["198.18.0.2", "2001:db8:0:1::2"]);
});
