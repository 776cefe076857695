import { describe, expect, test } from "vitest";
import { jhash } from "../../../../orchestrator/topology/model/jhash.ts";
import { predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, resolved, topologyText } from "../sample.ts";

test("the hash is the kernel's (measured on Linux 6.18, nft 1.0.6)", () => {
  expect(MEASURED.map(([addresses, modulus, seed]) => jhash(addresses, modulus, seed))).toEqual(
    MEASURED.map(([, , , chosen]) => chosen),
  );
});

const MEASURED: readonly (readonly [readonly [string] | readonly [string, string], number, number, number])[] = [
  [["192.168.1.2"], 2, 0x1, 1],
  [["192.168.1.2"], 5, 0xb15cfa92, 0],
  [["10.1.2.3"], 16, 0xffffffff, 2],
  [["192.168.1.2", "198.18.0.250"], 2, 0xb15cfa92, 0],
  [["192.168.1.2", "198.18.0.250"], 7, 0x1, 6],
  [["10.1.2.3", "192.168.1.2"], 16, 0xdeadbeef, 14],
];

/** Two uplinks on one side, a strict NAT on the other. */
function uplinks(pooling: string, seed: number) {
  return resolved(
    topologyText({
      segments: "isp-two: { ipv4: 198.18.7.0/24 }, home: { ipv4: 192.168.1.0/24 }, cafe: { ipv4: 192.168.2.0/24 }",
      nodes: `${HOME_AGENTS},
        core: { role: router, wan: internet, lan: isp-two },
        nat-a: { role: router, wan: [internet, isp-two], lan: home, nat: { preset: port-restricted-cone, pooling: ${pooling} } },
        nat-b: { role: router, wan: internet, lan: cafe, nat: port-restricted-cone },
        mn: { role: mobile-node, on: home, homeAgent: ha-a },
        cn: { role: correspondent-node, on: cafe, homeAgent: ha-b }`,
      rest: "sessions: [{ from: mn, to: cn }]",
    }),
    seed,
  );
}

function predicted(pooling: string, seed: number) {
  const topology = uplinks(pooling, seed);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

describe("two uplinks", () => {
  const seeds = Array.from({ length: 16 }, (_, i) => i);

  test("one for each host: every destination sees one address, and the path is direct", () => {
    expect(seeds.map((seed) => predicted("paired", seed).path)).toEqual(seeds.map(() => "direct"));
  });

  test("one for each destination: where home agent and peer see different ones, no check arrives", () => {
    const paths = seeds.map((seed) => predicted("arbitrary", seed));
    expect(new Set(paths.map(({ path }) => path))).toEqual(new Set(["direct", "home-agents"]));
    const relayed = paths.find(({ path }) => path === "home-agents");
    expect(relayed?.why.join("\n")).toMatch(
      /nat-a sends it from .* at 198\.18\.[07]\.\d+, one of 2 addresses for each pair of inside host and destination; nat-b drops it/,
    );
  });
});
