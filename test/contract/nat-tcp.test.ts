/**
 * TCP through the NAT rules in real network namespaces, with the sockets of Python as its ends. Each test has a NAT of its
 * own in one lab: most of their time is waiting for what does not come, and they wait at once.
 */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { classify, openServers } from "./nat-rules/classify.ts";
import { createNatWorld, type NatWorld } from "./nat-rules/nat-world.ts";

const { describe, test } = await needs("netns", "python3");

const PROGRAM = fileURLToPath(new URL("nat-tcp/tcp-ends.py", import.meta.url));
const SERVERS = ["198.18.0.11", "198.18.0.12"].flatMap((ip) => [3478, 3479].map((port) => [ip, port]));
const PORT = 20_000;

/** A router with NAT and the hosts behind it, which have two addresses. */
interface Site {
  readonly router: string;
  readonly outside: string;
  readonly inside: string;
  readonly host: string;
  readonly otherHost: string;
  /** Of the file: what `nat` has, and further keys of the router. */
  readonly nat: string;
  readonly more: string;
}

const sites: Site[] = [];

function site(nat: string, more = ""): Site {
  const n = sites.length + 1;
  const made = {
    router: `nat-${n}`,
    outside: `198.18.0.${20 + n}`,
    // The first one is where `classify` looks for its hosts.
    inside: n === 1 ? "inside" : `inside-${n}`,
    host: `192.168.${n}.2`,
    otherHost: `192.168.${n}.3`,
    // Few ports: loading the default's 16384 takes longer than the test.
    nat: `{ ${nat}, ports: 30000-30029 }`,
    more,
  };
  sites.push(made);
  return made;
}

function topology(): string {
  return `
name: tcp
summary: NATs between servers and inside hosts
segments:
  internet: { ipv4: 198.18.0.0/24 }
${sites.map((_, i) => `  home-${i + 1}: { ipv4: 192.168.${i + 1}.0/24 }`).join("\n")}
nodes:
  servers: { role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.11 } } }
${sites
  .map(
    ({ router, outside, inside, host, nat, more }, i) => `
  ${router}:
    { role: router, wan: internet, lan: home-${i + 1}, nat: ${nat}, addresses: { internet: { ipv4: ${outside} } } ${more} }
  ${inside}: { role: host, on: home-${i + 1}, image: x, addresses: { home-${i + 1}: { ipv4: ${host} } } }`,
  )
  .join("")}
`;
}

const udpSite = site(
  "preset: port-restricted-cone, tcp: { mapping: address-and-port-dependent, filtering: endpoint-independent, hairpinning: true }",
);
const sharing = site("preset: port-restricted-cone");

const changing = site("preset: full-cone");

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const CLASSIFIED = DEPENDENCE.flatMap((mapping) =>
  DEPENDENCE.flatMap((filtering) =>
    [false, true].map((hairpinning) => {
      const assignment = hairpinning ? "portAssignment: random" : "portAssignment: preserve";
      // A refusal takes no time, which silence does.
      const tcp = `{ mapping: ${mapping}, filtering: ${filtering}, hairpinning: ${hairpinning}, unsolicitedSyn: reset }`;
      return { mapping, filtering, hairpinning, at: site(`preset: port-restricted-cone, ${assignment}, tcp: ${tcp}`) };
    }),
  ),
);

const UNSOLICITED = (
  [
    ["drop", "silent"],
    ["reset", "refused"],
    ["icmp", "icmp"],
  ] as const
).map(([unsolicitedSyn, answer]) => ({
  unsolicitedSyn,
  answer,
  at: site(`preset: port-restricted-cone, tcp: { unsolicitedSyn: ${unsolicitedSyn} }`),
}));

const idling = site("preset: full-cone, tcp: { established: 4s, transitory: 1s }");
const IDLE = [
  { state: "open", idleSec: 2.2, found: "open" },
  { state: "open", idleSec: 5.5, found: "silent" },
  { state: "closed", idleSec: 0.2, found: "open" },
  { state: "closed", idleSec: 2.2, found: "silent" },
  { state: "refused", idleSec: 0.2, found: "open" },
  { state: "refused", idleSec: 2.2, found: "silent" },
].map((it, i) => ({ ...it, port: PORT + 2 * i }));

const forwarding = site(
  "preset: port-restricted-cone",
  `, forwards: [{ protocol: tcp, port: 8080, to: inside-${sites.length + 1}, toPort: 80 }]`,
);

let world: NatWorld;
/** Its path: a version manager's shim on the search path takes longer than the program. */
let python: string;

beforeAll(async () => {
  python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  world = await createNatWorld(topology());
  await Promise.all([
    world.shIn("servers", "ip addr add 198.18.0.12/24 dev internet"),
    ...sites.map(({ inside, otherHost }, i) => world.shIn(inside, `ip addr add ${otherHost}/24 dev home-${i + 1}`)),
  ]);
  await listen("servers", SERVERS);
});
afterAll(() => world.end());

/** Calls a function of the program in a node. */
async function ends(node: string, name: string, ...values: readonly unknown[]): Promise<unknown> {
  const words = values.map((value) => `'${JSON.stringify(value)}'`).join(" ");
  return JSON.parse(await world.shIn(node, `timeout 30 ${python} ${PROGRAM} ${name} ${words}`));
}

/** Starts servers in a node and waits until they listen. */
async function listen(node: string, endpoints: readonly unknown[]): Promise<void> {
  await world.shIn(node, `${python} ${PROGRAM} serve '${JSON.stringify(endpoints)}' > /dev/null 2>&1 &`);
  const listening = `until [ "$(ss -Htln | wc -l)" = ${endpoints.length} ]; do sleep 0.02; done`;
  await world.shIn(node, `timeout 30 sh -c '${listening}'`);
}

describe("every point of RFC 5382", () => {
  test.concurrent.each(CLASSIFIED)(
    "mapping $mapping, filtering $filtering, hairpinning $hairpinning is observed as declared for TCP",
    async ({ at: { inside, host, otherHost }, ...declared }) => {
      expect(await ends(inside, "classify", host, otherHost, PORT)).toEqual(declared);
    },
  );

  test.concurrent("UDP stays what it is declared as, where TCP is something else", async () => {
    const [udp, tcp] = await Promise.all([
      openServers(world).then((servers) => classify(world, servers, PORT)),
      ends(udpSite.inside, "classify", udpSite.host, udpSite.otherHost, PORT),
    ]);
    expect(udp).toEqual({
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      hairpinning: false,
    });
    expect(tcp).toEqual({
      mapping: "address-and-port-dependent",
      filtering: "endpoint-independent",
      hairpinning: true,
    });
  });

  test.concurrent("a NAT that is changed is another one for connections from then on", async () => {
    const { inside, host, otherHost, router: name } = changing;
    const router = world.router(name);
    if (router.tcp === undefined) throw new Error("it does not translate");
    const cone = { mapping: "endpoint-independent", filtering: "endpoint-independent", hairpinning: true } as const;
    const symmetric = {
      mapping: "address-and-port-dependent",
      filtering: "address-and-port-dependent",
      hairpinning: false,
    } as const;
    expect(await ends(inside, "classify", host, otherHost, PORT)).toEqual(cone);
    await world.reload({ ...router, tcp: { ...router.tcp, ...symmetric } });
    expect(await ends(inside, "classify", host, otherHost, PORT + 10)).toEqual(symmetric);
  });

  test.concurrent("two inside hosts on one port get an outside port each", async () => {
    const { inside, host, otherHost, outside } = sharing;
    const found = (await ends(inside, "sharing", host, otherHost, PORT)) as [[string, number], [string, number]];
    expect(found[0]).toEqual([outside, PORT]);
    expect(found[1][1]).not.toBe(PORT);
  });
});

describe("a SYN from outside that is let in to nobody", () => {
  test.concurrent.each(UNSOLICITED)("$unsolicitedSyn: $answer", async ({ answer, at: { outside } }) => {
    const port = Number(outside.split(".")[3]) + PORT;
    expect(await ends("servers", "attempt", ["198.18.0.11", port], [outside, port])).toBe(answer);
  });
});

describe("idle times", () => {
  test.concurrent.each(IDLE)(
    "a mapping whose connection is $state and was idle for $idleSec s lets a stranger in: $found",
    async ({ port, state, idleSec, found }) => {
      const { inside, host, outside } = idling;
      expect(await ends(inside, "idle", host, outside, port, state, idleSec)).toBe(found);
    },
  );
});

test.concurrent("a forwarded TCP port lets everybody in, and the port beside it nobody", async () => {
  const { inside, host, outside } = forwarding;
  await listen(inside, [[host, 80]]);
  expect(await ends("servers", "attempt", ["198.18.0.12", 7000], [outside, 8080])).toBe("open");
  expect(await ends("servers", "attempt", ["198.18.0.12", 7001], [outside, 8081])).toBe("silent");
});
