/** TCP through the NAT rules in real network namespaces, with the sockets of Python as its ends. */

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import type { TcpNat } from "../../orchestrator/topology/model/resolved.ts";
import { needs } from "../support/needs.ts";
import { classify, openServers } from "./nat-rules/classify.ts";
import { createNatWorld, type NatWorld } from "./nat-rules/nat-world.ts";

const { describe, test } = await needs("netns", "python3");

const PROGRAM = fileURLToPath(new URL("nat-tcp/tcp-ends.py", import.meta.url));
const SERVERS = ["198.18.0.11", "198.18.0.12"].flatMap((ip) => [3478, 3479].map((port) => [ip, port]));

const TOPOLOGY = `
name: tcp
summary: One NAT between servers and inside hosts
segments:
  internet: { ipv4: 198.18.0.0/24 }
  home: { ipv4: 192.168.1.0/24 }
nodes:
  nat: { role: router, wan: internet, lan: home, nat: port-restricted-cone, addresses: { internet: { ipv4: 198.18.0.1 } } }
  servers: { role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.11 } } }
  inside: { role: host, on: home, image: x, addresses: { home: { ipv4: 192.168.1.2 } } }
`;

/** Calls a function of the program in a node. */
async function ends(world: NatWorld, node: string, name: string, ...values: readonly unknown[]): Promise<unknown> {
  const words = values.map((value) => `'${JSON.stringify(value)}'`).join(" ");
  return JSON.parse(await world.shIn(node, `timeout 30 python3 ${PROGRAM} ${name} ${words}`));
}

async function createWorld(topology = TOPOLOGY): Promise<NatWorld> {
  const world = await createNatWorld(topology);
  await Promise.all([
    world.shIn("servers", "ip addr add 198.18.0.12/24 dev internet"),
    world.shIn("inside", "ip addr add 192.168.1.3/24 dev home"),
  ]);
  await world.shIn("servers", `python3 ${PROGRAM} serve '${JSON.stringify(SERVERS)}' > /dev/null 2>&1 &`);
  const listening = 'until [ "$(ss -Htln | grep -c :347)" = 4 ]; do sleep 0.02; done';
  await world.shIn("servers", `timeout 30 sh -c '${listening}'`);
  return world;
}

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const ALL = DEPENDENCE.flatMap((mapping) =>
  DEPENDENCE.flatMap((filtering) => [false, true].map((hairpinning) => ({ mapping, filtering, hairpinning }))),
);

let world: NatWorld;
let port = 20_000;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());

/** Reloads the NAT, with ports inside and outside that were not used before. */
async function load(tcp: Partial<TcpNat>, portAssignment: "preserve" | "random" = "preserve"): Promise<void> {
  const router = world.router("nat");
  if (router.nat === undefined || router.tcp === undefined) throw new Error("it does not translate");
  port += 10;
  const first = 30_000 + 30 * ((port - 20_000) / 10);
  const nat = { ...router.nat, portAssignment, ports: { first, last: first + 29 } };
  await world.reload({ ...router, nat, tcp: { ...router.tcp, ...tcp } });
}

describe("every point of RFC 5382", () => {
  test.each(ALL)(
    "mapping $mapping, filtering $filtering, hairpinning $hairpinning is observed as declared for TCP",
    async (declared) => {
      // A refusal takes no time, which silence does.
      await load({ ...declared, unsolicitedSyn: "reset" }, declared.hairpinning ? "random" : "preserve");
      expect(await ends(world, "inside", "classify", port)).toEqual(declared);
    },
  );

  test("UDP stays what it is declared as, where TCP is something else", async () => {
    await load({ mapping: "address-and-port-dependent", filtering: "endpoint-independent", hairpinning: true });
    expect(await classify(world, await openServers(world), port)).toEqual({
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      hairpinning: false,
    });
  });

  test("two inside hosts on one port get an outside port each", async () => {
    await load({});
    const [one, other] = (await ends(world, "inside", "sharing", port)) as [[string, number], [string, number]];
    expect(one).toEqual(["198.18.0.1", port]);
    expect(other[1]).not.toBe(port);
  });
});

describe("a SYN from outside that is let in to nobody", () => {
  test.each([
    { unsolicitedSyn: "drop", answer: "silent" },
    { unsolicitedSyn: "reset", answer: "refused" },
    { unsolicitedSyn: "icmp", answer: "icmp" },
  ] as const)("$unsolicitedSyn: $answer", async ({ unsolicitedSyn, answer }) => {
    await load({ unsolicitedSyn });
    expect(await ends(world, "servers", "attempt", ["198.18.0.11", port], ["198.18.0.1", port])).toBe(answer);
  });
});

describe("idle times", () => {
  test.each([
    { state: "open", idleSec: 2.2, found: "open" },
    { state: "open", idleSec: 5.5, found: "silent" },
    { state: "closed", idleSec: 0.2, found: "open" },
    { state: "closed", idleSec: 2.2, found: "silent" },
    { state: "refused", idleSec: 0.2, found: "open" },
    { state: "refused", idleSec: 2.2, found: "silent" },
  ])("a mapping whose connection is $state and was idle for $idleSec s lets a stranger in: $found", async (it) => {
    const lab = await createWorld(
      TOPOLOGY.replace(
        "nat: port-restricted-cone",
        "nat: { preset: full-cone, tcp: { established: 4s, transitory: 1s } }",
      ),
    );
    try {
      expect(await ends(lab, "inside", "idle", port, it.state, it.idleSec)).toBe(it.found);
    } finally {
      await lab.end();
    }
  });
});

test("a forwarded TCP port lets everybody in, and the port beside it nobody", async () => {
  const router = world.router("nat");
  await world.reload({ ...router, forwards: [{ protocol: "tcp", port: 8080, to: "192.168.1.2", toPort: 80 }] });
  await world.shIn("inside", `python3 ${PROGRAM} serve '[["192.168.1.2", 80]]' > /dev/null 2>&1 &`);
  await world.shIn("inside", "timeout 30 sh -c 'until ss -Htln | grep -q :80; do sleep 0.02; done'");
  expect(await ends(world, "servers", "attempt", ["198.18.0.12", 7000], ["198.18.0.1", 8080])).toBe("open");
  expect(await ends(world, "servers", "attempt", ["198.18.0.12", 7001], ["198.18.0.1", 8081])).toBe("silent");
});
