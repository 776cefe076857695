/** Values of the right shape that no kernel and no engine takes: refused where they stand, with the range. */

import { describe, expect, test } from "vitest";
import { HOME_AGENTS, issuesOf, nodeOf, resolved, topologyText } from "../sample.ts";

const HOST = "h: { role: host, on: internet, image: x";
const MN = "mn: { role: mobile-node, on: internet, homeAgent: ha-a";
const NAT = "nat: { role: router, wan: internet, lan: lan";

/** A topology with a NAT before a LAN; `node` is the beginning of one node's entry. */
function withNode(node: string, keys: string, rest = ""): string {
  const nodes = `${HOME_AGENTS}, ${node}, ${keys} }`;
  return topologyText({ segments: "lan: { ipv4: 192.168.1.0/24 }", nodes, rest });
}

function withLink(impairment: string): string {
  return topologyText({ nodes: `${HOST} }`, rest: `links: { h/internet: { ${impairment} } }` });
}

function withEvent(event: string): string {
  return withNode(NAT, "nat: symmetric", `timeline: [{ ${event} }]`);
}

describe("links", () => {
  test.each([
    ["loss: 100.5%", 'expected a share from 0% to 100%, such as 0.5%; found "100.5%"'],
    ["delay: 99999999s", 'expected a duration of at most 4m; found "99999999s"'],
    ["delay: 5m", 'expected a duration of at most 4m; found "5m"'],
    ["delay: 1s, jitter: 241s", 'expected a duration of at most 4m; found "241s"'],
    [
      "rate: 99999999999999gbit",
      'expected a rate from 8bit to 100gbit; a loss of 100% stops everything; found "99999999999999gbit"',
    ],
    ["rate: 7bit", 'expected a rate from 8bit to 100gbit; a loss of 100% stops everything; found "7bit"'],
    ["rate: 1mbit, queue: 99999999999999", "expected a number of at most 1000000; found 99999999999999"],
    ["loss: 1%, burst: 1e308", "expected a number of at most 10000; found 1e+308"],
    ["loss: 1%, burst: .inf", "expected a number; found null"],
  ])("%s", (impairment, message) => {
    expect(issuesOf(withLink(impairment)).map(messageOf)).toEqual([message]);
  });

  test.each(["loss: 100%", "loss: 100.0%", "delay: 4m, jitter: 240s", "rate: 8bit", "rate: 100gbit, queue: 1000000"])(
    "%s is within",
    (impairment) => {
      expect(issuesOf(withLink(impairment))).toEqual([]);
    },
  );
});

describe("MAC addresses", () => {
  test.each(["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"])("%s", (mac) => {
    expect(issuesOf(withNode(HOST, `addresses: { internet: { mac: "${mac}" } }`)).map(messageOf)).toEqual([
      `expected the MAC address of one node: an even first octet, and not all zero; found "${mac}"`,
    ]);
  });

  test("those that are drawn differ beyond 256 nodes and 256 segments", () => {
    const segments = Array.from({ length: 10 }, (_, i) => `s${i}: { ipv4: 10.0.${i}.0/24 }`).join(", ");
    const hosts = Array.from({ length: 300 }, (_, i) => `h${i}: { role: host, on: s${i % 10}, image: x }`).join(", ");
    const macs = resolved(topologyText({ segments, nodes: hosts })).nodes.map(({ interfaces }) => interfaces[0]?.mac);
    expect(new Set(macs).size).toBe(300);
  });
});

describe("lifetimes and times", () => {
  test.each([
    [withNode(NAT, "nat: { preset: symmetric, udpLifetime: 4294967296s }"), "600m", "4294967296s"],
    [withNode(NAT, "firewall: { udpIdle: 601m }"), "600m", "601m"],
    [withEvent("at: 1000000000s, reboot: nat"), "1440m", "1000000000s"],
    [withEvent("at: 1s, reboot: nat, down: 61m"), "60m", "61m"],
    [
      withNode(MN, "port: 1", "sessions: [{ from: mn, to: mn }]\nexpect: [{ session: mn-mn, within: 1441m }]"),
      "1440m",
      "1441m",
    ],
  ])("%#: too long", (text, longest, found) => {
    expect(issuesOf(text).map(messageOf)).toContain(`expected a duration of at most ${longest}; found "${found}"`);
  });

  test.each(["0s", "99ms", "61m"])("a consent interval of %s", (consent) => {
    expect(issuesOf(withNode(MN, `consent: ${consent}`)).map(messageOf)).toEqual([
      `expected a duration from 100ms to 60m; found "${consent}"`,
    ]);
  });

  test("the agent is told whole milliseconds", () => {
    const node = nodeOf(resolved(withNode(MN, "consent: 100.6ms")), "mn");
    expect(node).toMatchObject({ agent: { timers: { consentIntervalMs: 101, consentTimeoutMs: 202 } } });
    const [event] = resolved(withEvent("at: 1s, reboot: nat, down: 1.4ms")).timeline;
    expect(event?.actions[0]).toMatchObject({ downMs: 1 });
  });
});

describe("host programs", () => {
  test.each([
    ['command: "a\\0b"', 'expected text without NUL, at which the kernel ends it; found "a\\u0000b"'],
    ['command: ["a", "b\\0"]', 'expected text without NUL, at which the kernel ends it; found "b\\u0000"'],
    ['environment: { A: "\\0" }', 'expected text without NUL, at which the kernel ends it; found "\\u0000"'],
    ['environment: { "A\\0B": x }', 'expected the name of a variable, without `=` and NUL; found "A\\u0000B"'],
    ['environment: { "A=B": x }', 'expected the name of a variable, without `=` and NUL; found "A=B"'],
    ['environment: { "": x }', 'expected the name of a variable, without `=` and NUL; found ""'],
    [`environment: { A: ${"x".repeat(200_000)} }`, "expected at most 100000 octets in all; found 200008"],
    [`command: [a, ${"x".repeat(200_000)}]`, "expected at most 100000 octets in all; found 200008"],
    [`command: ${"é".repeat(60_000)}`, "expected at most 100000 octets in all; found 120002"],
  ])("%.40s", (keys, message) => {
    expect(issuesOf(withNode(HOST, keys)).map(messageOf)).toEqual([message]);
  });

  test.each(["", "UPPER", "a b", "-a", "a:", "a:b:c", "a@sha256:12", "http://a/b", "a//b", "a\\nb", "a".repeat(700)])(
    "the image %j has no name that an engine takes",
    (image) => {
      const text = topologyText({ nodes: `h: { role: host, on: internet, image: "${image}" }` });
      expect(issuesOf(text)).toEqual([
        expect.stringContaining("h.image: expected the name of an image such as debian:12 or"),
      ]);
    },
  );

  test.each([
    "debian:12",
    "mice-testbed/tools:latest",
    "registry.example:5000/team/image_x:1.0-rc.1",
    "localhost/a",
    "REGISTRY.example/a",
    `a@sha256:${"0".repeat(64)}`,
    `sha256:${"0".repeat(64)}`,
    "0123456789ab",
  ])("the image %s has one", (image) => {
    expect(issuesOf(topologyText({ nodes: `h: { role: host, on: internet, image: "${image}" }` }))).toEqual([]);
  });
});

describe("nodes on a segment", () => {
  const hosts = (count: number): string =>
    topologyText({
      nodes: Array.from({ length: count }, (_, i) => `h${i}: { role: host, on: internet, image: x }`).join(", "),
    });

  test("61 have room", () => {
    expect(issuesOf(hosts(61))).toEqual([]);
  });

  test.each([62, 257])("%i have not", (count) => {
    expect(issuesOf(hosts(count)).map(messageOf)).toContain(
      `expected at most 61 nodes on a segment, those that move there counted; found ${count}; divide it`,
    );
  });
});

describe("ports of a NAT", () => {
  const nat = (keys: string, forwards: string): string =>
    topologyText({
      segments: "lan: { ipv4: 192.168.1.0/24 }",
      nodes: `${NAT}, nat: { ${keys} }, forwards: [${forwards}] }, h: { role: host, on: lan, image: x }`,
    });
  const forward = (port: number): string => `{ protocol: udp, port: ${port}, to: h }`;

  test("all forwarded: none is left for mappings", () => {
    expect(
      issuesOf(nat("preset: symmetric, ports: 5000-5001", `${forward(5000)}, ${forward(5001)}`)).map(messageOf),
    ).toEqual(["expected a port of 5000-5001 to be free for mappings; found all forwarded; widen `ports`"]);
  });

  test("all of one parity forwarded, where parity is preserved", () => {
    const text = nat("preset: symmetric, parity: preserve, ports: 5000-5002", forward(5001));
    expect(issuesOf(text).map(messageOf)).toEqual([
      "expected an even port and an odd one of 5000-5002 to be free for mappings; found all forwarded; widen `ports`",
    ]);
  });

  test("one free port is enough", () => {
    expect(issuesOf(nat("preset: symmetric, ports: 5000-5001", forward(5000)))).toEqual([]);
  });
});

test("a node that names many addresses twice makes no thousands of rules", () => {
  const segments = Array.from({ length: 20 }, (_, i) => `"2001:db8:${i + 16}::/64"`);
  const text = topologyText({
    segments: segments.map((ipv6, i) => `s${i}: { ipv6: ${ipv6} }`).join(", "),
    nodes: `${HOME_AGENTS.replace("ha-a: { role: home-agent, on: internet", `ha-a: { role: home-agent, on: [internet, ${segments.map((_, i) => `s${i}`).join(", ")}]`)},
      fw: { role: router, wan: internet, lan: s0, firewall: { pinholes: [{ protocol: udp, to: ha-a, from: ha-a }] } }`,
  });
  expect(issuesOf(text).map(messageOf)).toContain(
    "expected at most 64 pairs of addresses; found 22 × 22; name addresses in place of nodes",
  );
});

/** What a problem says, without its place. */
function messageOf(issue: string): string {
  return issue.replace(/^\S+ \S+ /, "");
}
