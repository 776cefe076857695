import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Prediction, predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, resolved, topologyText, twoHomes } from "../sample.ts";

function predict(text: string): Prediction {
  const topology = resolved(text);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

const DEPENDENCE = { EI: "endpoint-independent", AD: "address-dependent", APD: "address-and-port-dependent" } as const;

/** `EIM/ADF` as the keys of a router. */
function middlebox(name: string): string {
  const [, mapping, filtering] = /^(\w+)M\/(\w+)F$/.exec(name) ?? [];
  const of = (text: string | undefined) => DEPENDENCE[text as keyof typeof DEPENDENCE];
  return `nat: { mapping: ${of(mapping)}, filtering: ${of(filtering)} }`;
}

const MIDDLEBOXES = [
  "EIM/EIF",
  "EIM/ADF",
  "EIM/APDF",
  "ADM/EIF",
  "ADM/ADF",
  "ADM/APDF",
  "APDM/EIF",
  "APDM/ADF",
  "APDM/APDF",
];

/**
 * Measured with plain hole punching between namespaces, 162 punches, both start orders, five times with the same
 * result: which pairs of NATs have a direct path. One letter per column of `BOXES`: d for direct, r for relay.
 */
const MEASURED: Readonly<Record<string, string>> = {
  "EIM/EIF": "ddddddddd",
  "EIM/ADF": "ddddddddd",
  "EIM/APDF": "ddddrrdrr",
  "ADM/EIF": "ddddddddd",
  "ADM/ADF": "ddrdrrdrr",
  "ADM/APDF": "ddrdrrdrr",
  "APDM/EIF": "ddddddddd",
  "APDM/ADF": "ddrdrrdrr",
  "APDM/APDF": "ddrdrrdrr",
};

test.each(MIDDLEBOXES)("against %s, all nine middleboxes have the path that was measured", (b) => {
  const letters = MIDDLEBOXES.map((a) => (predict(twoHomes(middlebox(a), middlebox(b))).path === "direct" ? "d" : "r"));
  expect(letters.join("")).toBe(MEASURED[b]);
});

describe("lite agents and keys", () => {
  const open = (mn: string, cn: string): string =>
    topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }",
      nodes: `${HOME_AGENTS},
        nat-a: { role: router, wan: internet, lan: home, nat: port-restricted-cone },
        mn: { role: mobile-node, on: home, homeAgent: ha-a, ${mn} },
        cn: { role: correspondent-node, on: internet, homeAgent: ha-b, ${cn} }`,
      rest: "sessions: [{ from: mn, to: cn }]",
    });

  test.each([
    ["a lite correspondent in the open is reached", "", "lite: true", "direct", ["server-reflexive", "host"]],
    [
      "a lite node behind a middlebox is not: nobody opens its filter",
      "lite: true",
      "",
      "home-agents",
      ["relayed", "relayed"],
    ],
    ["two lite agents check nothing", "lite: true", "lite: true", "home-agents", undefined],
    ["keys of two kinds check nothing", "keys: rr", "", "home-agents", undefined],
    ["derived keys change no path", "keys: rr", "keys: rr", "direct", ["server-reflexive", "host"]],
  ])("%s", (_name, mn, cn, path, selected) => {
    const prediction = predict(open(mn, cn));
    expect([prediction.path, prediction.selected]).toEqual([path, selected]);
  });

  test("a session that a lite node begins is seen from its end", () => {
    const text = open("", "lite: true").replace("from: mn, to: cn", "from: cn, to: mn");
    expect(predict(text)).toMatchObject({ path: "direct", selected: ["host", "server-reflexive"] });
  });
});

describe("the pairs of SPEC 7.3", () => {
  test.each([
    ["EIM/APDF", "EIM/APDF", ["server-reflexive", "server-reflexive"]],
    ["EIM/EIF", "EIM/ADF", ["server-reflexive", "server-reflexive"]],
    ["ADM/ADF", "EIM/EIF", ["peer-reflexive", "server-reflexive"]],
    ["APDM/APDF", "EIM/ADF", ["peer-reflexive", "server-reflexive"]],
    ["EIM/ADF", "APDM/APDF", ["server-reflexive", "peer-reflexive"]],
    ["APDM/APDF", "EIM/APDF", ["relayed", "relayed"]],
    ["ADM/EIF", "ADM/ADF", ["server-reflexive", "peer-reflexive"]],
    ["ADM/ADF", "ADM/APDF", ["relayed", "relayed"]],
    ["APDM/APDF", "APDM/APDF", ["relayed", "relayed"]],
    ["APDM/ADF", "ADM/ADF", ["relayed", "relayed"]],
  ] as const)("%s and %s", (a, b, selected) => {
    expect(predict(twoHomes(middlebox(a), middlebox(b))).selected).toEqual(selected);
  });

  const segments = "home: { ipv4: 192.168.1.0/24 }, den: { ipv4: 192.168.2.0/24 }";
  const ends = (mn: string, cn: string): string => `${HOME_AGENTS},
    mn: { role: mobile-node, on: ${mn}, homeAgent: ha-a }, cn: { role: correspondent-node, on: ${cn}, homeAgent: ha-b }`;
  const rest = "sessions: [{ from: mn, to: cn }]";

  test("two nodes on one LAN talk directly between their host addresses", () => {
    const nodes = `nat: { role: router, wan: internet, lan: home, nat: symmetric }, ${ends("home", "home")}`;
    expect(predict(topologyText({ segments, nodes, rest }))).toMatchObject({
      path: "direct",
      selected: ["host", "host"],
    });
  });

  test.each([
    { hairpinning: true, path: "direct", selected: ["server-reflexive", "server-reflexive"] },
    { hairpinning: false, path: "home-agents", selected: ["relayed", "relayed"] },
  ])("two isolated LANs of one middlebox: hairpinning $hairpinning gives $path", ({ hairpinning, path, selected }) => {
    const nat = `nat: { preset: port-restricted-cone, hairpinning: ${hairpinning} }`;
    const nodes = `nat: { role: router, wan: internet, lan: [home, den], ${nat} }, ${ends("home", "den")}`;
    expect(predict(topologyText({ segments, nodes, rest }))).toMatchObject({ path, selected });
  });

  test.each([
    ["port-restricted-cone", "server-reflexive"],
    ["symmetric", "peer-reflexive"],
  ])("one end without a middlebox: a %s middlebox opposite shows a %s address", (preset, type) => {
    const nodes = `nat: { role: router, wan: internet, lan: home, nat: ${preset} }, ${ends("home", "internet")}`;
    expect(predict(topologyText({ segments, nodes, rest }))).toMatchObject({
      path: "direct",
      selected: [type, "host"],
    });
  });

  test("a home below a carrier: the outermost address counts", () => {
    const isp = "isp: { ipv4: 100.64.0.0/24 }";
    const nodes = `cgn: { role: router, wan: internet, lan: isp, nat: carrier-grade },
      nat: { role: router, wan: isp, lan: home, nat: home-router },
      nat-b: { role: router, wan: internet, lan: den, nat: port-restricted-cone }, ${ends("home", "den")}`;
    expect(predict(topologyText({ segments: `${segments}, ${isp}`, nodes, rest }))).toMatchObject({
      path: "direct",
      selected: ["server-reflexive", "server-reflexive"],
    });
  });

  test("IPv6 behind stateful firewalls on both sides beats IPv4 through translation", () => {
    const dual =
      'home: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:8::/64" }, den: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:9::/64" }';
    const nodes = `a: { role: router, wan: internet, lan: home, nat: symmetric },
      b: { role: router, wan: internet, lan: den, nat: symmetric }, ${ends("home", "den")}`;
    expect(predict(topologyText({ segments: dual, nodes, rest }))).toMatchObject({
      path: "direct",
      selected: ["host", "host"],
    });
  });

  test("direct UDP blocked leaves the home agents; all UDP blocked leaves nothing", () => {
    const nodes = (firewall: string): string =>
      `nat: { role: router, wan: internet, lan: home, nat: port-restricted-cone, firewall: ${firewall} }, ${ends("home", "internet")}`;
    const tunnels = predict(topologyText({ segments, nodes: nodes("tunnel-only"), rest }));
    expect(tunnels).toMatchObject({ path: "home-agents", selected: ["relayed", "relayed"] });
    const blocked = predict(topologyText({ segments, nodes: nodes("udp-blocked"), rest }));
    expect(blocked).toEqual({
      session: "mn-cn",
      path: "none",
      why: ["none: mn cannot register with ha-a: nat drops it: it lets no UDP out."],
    });
    const rejected = predict(topologyText({ segments, nodes: nodes("{ preset: udp-blocked, denied: reject }"), rest }));
    expect(rejected.why).toEqual(["none: mn cannot register with ha-a: nat refuses it: it lets no UDP out."]);
  });

  test("a home agent behind a firewall needs its two pinholes", () => {
    const dc = 'dc: { ipv4: 198.18.9.0/24, ipv6: "2001:db8:0:9::/64" }';
    const nodes = (
      pinholes: string,
    ): string => `fw: { role: router, wan: internet, lan: dc, firewall: { preset: stateful, pinholes: [${pinholes}] } },
      ha: { role: home-agent, on: dc, homePrefix: "2001:db8:a::/64" },
      mn: { role: mobile-node, on: internet, homeAgent: ha }, cn: { role: correspondent-node, on: internet, homeAgent: ha }`;
    const holes = "{ protocol: udp, to: ha, port: 4191 }, { protocol: udp, to: ha, port: 3478 }";
    expect(predict(topologyText({ segments: dc, nodes: nodes(holes), rest })).path).toBe("direct");
    expect(predict(topologyText({ segments: dc, nodes: nodes(""), rest })).why.join()).toContain(
      "fw drops it: its firewall lets in only what answers packets from inside",
    );
  });

  test("a home agent that answers through another firewall than it was asked through cannot be registered with", () => {
    const site = (firewallOut: string) =>
      predict(
        topologyText({
          segments: 'site: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:0:3::/64" }',
          nodes: `ha: { role: home-agent, on: site, homePrefix: "2001:db8:a::/64", gateway: fw-out },
            fw-in: { role: router, wan: internet, lan: site }, fw-out: { role: router, wan: internet, lan: site, firewall: ${firewallOut} },
            mn: { role: mobile-node, on: internet, homeAgent: ha }, cn: { role: correspondent-node, on: internet, homeAgent: ha }`,
          rest: "sessions: [{ from: mn, to: cn }]",
        }),
      );
    expect(site("stateful").path).toBe("direct");
    expect(site("udp-blocked")).toMatchObject({
      path: "none",
      why: ["none: mn cannot register with ha: fw-out drops it: it lets no UDP out."],
    });
  });
});

describe("the reasoning", () => {
  test("of a direct path: what each middlebox does with the check that succeeds", () => {
    expect(predict(twoHomes(middlebox("APDM/APDF"), middlebox("EIM/ADF"))).why).toEqual([
      "direct: mn's check to the server-reflexive address of cn arrives: nat-a sends it from a mapping of its own for this address and port; nat-b lets it in: it filters by address only, and this one was sent to from inside.",
      "cn sees it come from a new, peer-reflexive address of mn, and the answer returns the same way.",
    ]);
  });

  test("of no direct path: which middlebox stops whose check", () => {
    expect(predict(twoHomes(middlebox("APDM/APDF"), middlebox("EIM/APDF"))).why).toEqual([
      "mn: its check to the server-reflexive address of cn fails: nat-a sends it from a mapping of its own for this address and port; nat-b drops it: it filters by address and port, and from that outside port nothing was sent there.",
      "cn: its check to the server-reflexive address of mn fails: nat-b sends it from its one mapping for all destinations; nat-a drops it: it filters by address and port, and from that outside port nothing was sent there.",
      "No direct pair: the home agents carry the data.",
    ]);
  });
});

test("who offers changes no path: the prediction of a pair is that of the mirrored pair", () => {
  const anyNat = fc.constantFrom(...MIDDLEBOXES);
  fc.assert(
    fc.property(anyNat, anyNat, (a, b) => {
      const [there, back] = [
        predict(twoHomes(middlebox(a), middlebox(b))),
        predict(twoHomes(middlebox(b), middlebox(a))),
      ];
      expect(there.path).toBe(back.path);
    }),
    { numRuns: 40 },
  );
});
