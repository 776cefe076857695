import { describe, expect, test } from "vitest";
import { parseTopology } from "../../../../orchestrator/topology/file/parse.ts";
import { HOME_AGENTS, issuesOf, topologyText } from "../sample.ts";

describe("broken text", () => {
  test("every fault of the YAML is reported where it is", () => {
    expect(issuesOf("name: x\nnodes:\n  a: [1, 2\n  b: {\n")).toEqual([
      "t.yaml:4:3 expected YAML; found: Flow sequence in block collection must be sufficiently indented and end with a ]; mend the text here",
      "t.yaml:5:1 expected YAML; found: Flow map in block collection must be sufficiently indented and end with a }; mend the text here",
    ]);
  });

  test("what the parser says of line after line is reported where it begins", () => {
    expect(issuesOf("name: x\nnodes:\n\ta: 1\n\tb: 2\n\tc: 3\n")).toEqual([
      "t.yaml:3:1 expected YAML; found: a tab, where spaces indent; mend the text here",
    ]);
  });

  test("lists inside of lists without end are told in the writer's words", () => {
    const message =
      "expected YAML; found: more lists and mappings inside of each other than can be read; mend the text here";
    // The parser's maximum depth depends on the remaining stack.
    expect(issuesOf(`name: ${"[".repeat(20_000)}${"]".repeat(20_000)}`)).toEqual([
      expect.stringMatching(`^t\\.yaml:1:\\d+ ${message}$`),
    ]);
  });

  test.each([
    ["an alias without anchor", "name: t\nseed: *x\n", "2:7", "*x, which stands for nothing before it"],
    ["a second document", "name: t\n---\nname: u\n", "2:1", "a second document, where a file holds one"],
    [
      "aliases that multiply",
      `a: &a [x]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\n`,
      "1:1",
      "aliases of aliases that come to too much",
    ],
    [
      "a merge of what is no mapping",
      "%YAML 1.1\n---\nname: t\nnodes:\n  <<: 3\n",
      "1:1",
      "what YAML cannot make sense of: Error: Merge sources must be maps or map aliases",
    ],
  ])("%s is told in the writer's words", (_name, text, position, found) => {
    expect(issuesOf(text)).toEqual([`t.yaml:${position} expected YAML; found: ${found}; mend the text here`]);
  });

  test("a long value is not repeated whole", () => {
    expect(issuesOf("x".repeat(500))[0]).toMatch(/found "x{80}…"$/);
  });

  test.each([
    ["an empty file", "", "nothing"],
    ["a list", "- a\n", "a list"],
    ["a word", "hello\n", '"hello"'],
  ])("%s is told what a topology has", (_name, text, found) => {
    expect(issuesOf(text)).toEqual([`t.yaml:1:1 expected \`name\`, \`segments\` and \`nodes\`; found ${found}`]);
  });

  test("a key that occurs twice is reported, and the rest of the file is checked all the same", () => {
    const text = "name: t\nsummary: s\nsegments:\n  net: { ipv4: 198.18.0.0/24 }\n  net: { ipv5: x }\nnodes: {}\n";
    expect(issuesOf(text)).toEqual([
      "t.yaml:5:3 expected each key once; found `net` again; remove or rename one",
      "t.yaml:5:10 segments.net.ipv5: expected a known key; found `ipv5`; did you mean `ipv4`?",
    ]);
  });
});

/** A topology with one node `n` with these keys. */
const withNode = (keys: string): string => topologyText({ nodes: `${HOME_AGENTS},\n  n: { ${keys} }` });

describe("one value of the wrong shape", () => {
  test.each([
    ["a wrong type", "role: mobile-node, on: internet, homeAgent: ha-a, port: high", 'expected a number; found "high"'],
    [
      "a number out of range",
      "role: mobile-node, on: internet, homeAgent: ha-a, port: 99999",
      "expected a number of at most 65535; found 99999",
    ],
    ["a fraction", "role: mobile-node, on: internet, homeAgent: ha-a, port: 1.5", "expected a whole number; found 1.5"],
    [
      "a word from no list",
      "role: mobile-node, on: internet, homeAgent: ha-a, profile: ice15",
      'expected one of ice16, rfc8445; found "ice15"; did you mean ice16?',
    ],
    [
      "a role that is not there",
      "role: rooter",
      'expected one of router, home-agent, stun-server, dns, mobile-node, correspondent-node, stationary-node, host; found "rooter"; did you mean router?',
    ],
    [
      "no role",
      "on: internet",
      "expected one of router, home-agent, stun-server, dns, mobile-node, correspondent-node, stationary-node, host; found nothing; add `role`",
    ],
    ["a missing key", "role: mobile-node, homeAgent: ha-a", "expected a name or a list; found nothing; add `on`"],
    [
      "a preset that is not there",
      "role: router, wan: internet, lan: x, nat: full-con",
      'expected one of none, full-cone, restricted-cone, port-restricted-cone, symmetric, home-router, carrier-grade, corporate; found "full-con"; did you mean full-cone?',
    ],
    [
      "a preset of the wrong type",
      "role: router, wan: internet, lan: x, nat: 3",
      "expected none, full-cone, restricted-cone, port-restricted-cone, symmetric, home-router, carrier-grade, corporate or a mapping; found 3",
    ],
    [
      "a key inside a middlebox",
      "role: router, wan: internet, lan: x, nat: { maping: x }",
      "expected a known key; found `maping`; did you mean `mapping`?",
    ],
    [
      "a value inside a middlebox",
      "role: router, wan: internet, lan: x, nat: { mapping: endpoint }",
      'expected one of endpoint-independent, address-dependent, address-and-port-dependent; found "endpoint"; did you mean endpoint-independent?',
    ],
    [
      "a lifetime without unit",
      "role: router, wan: internet, lan: x, nat: { udpLifetime: 30 }",
      "expected a duration such as 30s, 400ms or 2m; found 30; write 30s or 30ms",
    ],
    [
      "a lifetime with a space in it",
      "role: router, wan: internet, lan: x, nat: { udpLifetime: 30 s }",
      'expected a duration such as 30s, 400ms or 2m; found "30 s"; write 30s',
    ],
    [
      "a prefix with host bits",
      'role: home-agent, on: internet, homePrefix: "2001:db8:a::1/64"',
      'expected a network without host bits; found "2001:db8:a::1/64"; write 2001:db8:a::/64',
    ],
    [
      "a prefix of the other IP version",
      "role: home-agent, on: internet, homePrefix: 10.0.0.0/8",
      'expected an IPv6 network such as 2001:db8:1::/64; found "10.0.0.0/8"',
    ],
    [
      "an address with a prefix length",
      "role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.9/24 } }",
      'expected an IPv4 address such as 198.18.0.10; found "198.18.0.9/24"; leave the prefix length out',
    ],
    [
      "a short IPv4 address",
      "role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18 } }",
      "expected an IPv4 address; found 198.18",
    ],
  ])("%s: what was expected, what was found, what to do", (_name, keys, message) => {
    const [issue, ...others] = issuesOf(withNode(keys));
    expect(issue?.replace(/^\S+ \S+ /, "")).toBe(message);
    expect(others).toEqual([]);
  });
});

describe("one fault is one problem", () => {
  test("a required key that is misspelt is not missing as well", () => {
    expect(issuesOf(withNode("role: mobile-node, on: internet, homeagent: ha-a"))).toEqual([
      expect.stringContaining("n.homeagent: expected a known key; found `homeagent`; did you mean `homeAgent`?"),
    ]);
  });

  test("names of a block that cannot be read are not reported wherever they are used", () => {
    const text = `name: t
summary: s
segments: { internet: { ipv4: 198.18.0.0/24 } }
nodez: {}
links: { nat-a/internet: { delay: 1ms } }
sessions: [{ from: mn, to: cn }]
timeline: {}
expect: [{ session: mn-cn, after: gone, path: direct }]
`;
    expect(issuesOf(text)).toEqual([
      "t.yaml:4:1 nodez: expected a known key; found `nodez`; did you mean `nodes`?",
      "t.yaml:7:11 timeline: expected a list; found a mapping",
    ]);
  });
});

describe("several faults", () => {
  const text = `name: Bad_Name
summary: ""
segments:
  internet: { ipv4: 198.18.0.1/24 }
  docker: { ipv4: 172.18.0.0/24 }
  home: { ipv4: 192.168.1.0/24, color: red }
nodes:
  ha: { role: home-agent, on: internett, homePrefix: "2001:db8:a::/64" }
  nat: { role: router, wan: internet, lan: home, gatway: x }
  mn: { role: mobile-node, on: home, homeAgent: ha-x, port: 99999 }
  h: { role: host, on: home, image: x, addresses: { home: { ipv4: 192.168.1.7 } } }
  i: { role: host, on: home, image: x, addresses: { home: { ipv4: 192.168.1.7 } } }
sessions:
  - { from: mn, to: cn }
seed: abc
`;

  test("faults of shape, of reference and of address come together, in the order of the file", () => {
    expect(issuesOf(text)).toEqual([
      't.yaml:1:7 name: expected a name of lower-case letters, digits and hyphens, at most 31, a letter first; found "Bad_Name"',
      't.yaml:2:10 summary: expected some text; found ""',
      't.yaml:4:21 segments.internet.ipv4: expected a network without host bits; found "198.18.0.1/24"; write 198.18.0.0/24',
      "t.yaml:5:19 segments.docker.ipv4: expected a free network; found 172.18.0.0/24, which is not free: Docker draws its own networks from 172.17.0.0/16 to 172.31.0.0/16; use 198.18.0.0/15 for the public side, 100.64.0.0/10 for a carrier, 10.0.0.0/8 or 192.168.0.0/16 for homes",
      "t.yaml:6:33 segments.home.color: expected a known key; found `color`; known keys: ipv4, ipv6, dns, mtu, isolated",
      't.yaml:8:31 nodes.ha.on: expected a segment; found "internett"; did you mean internet?',
      "t.yaml:9:50 nodes.nat.gatway: expected a known key; found `gatway`; did you mean `gateway`?",
      "t.yaml:10:61 nodes.mn.port: expected a number of at most 65535; found 99999",
      "t.yaml:12:67 nodes.i.addresses.home.ipv4: expected an address of its own; found 192.168.1.7, which h has; change i or h",
      't.yaml:14:21 sessions[0].to: expected a mobile-node, correspondent-node or stationary-node; found "cn"; did you mean mn?',
      't.yaml:15:7 seed: expected a number; found "abc"',
    ]);
  });

  test("a reference to an entry that is wrong itself is not reported again", () => {
    expect(issuesOf(text).filter((issue) => issue.includes("sessions[0].from"))).toEqual([]);
  });
});

test("a parsed topology keeps the order of the file and knows where everything stands", () => {
  const parsed = parseTopology("name: t\nsummary: s\nsegments:\n  b: {}\n  a: {}\nnodes: {}\n", "t.yaml");
  if (!parsed.ok) throw new Error("did not parse");
  expect([...parsed.topology.segments.keys()]).toEqual(["b", "a"]);
  expect(parsed.topology.locate(["segments", "a"], "key")).toEqual({ line: 5, column: 3 });
  expect(parsed.topology.locate(["segments", "a", "ipv4"])).toEqual({ line: 5, column: 3 });
});
