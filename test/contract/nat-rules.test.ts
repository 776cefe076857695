/** The NAT rules in real network namespaces: observed behaviour equals the declared profile. */

import { setTimeout as sleep } from "node:timers/promises";
import type { NatProfile } from "@testbed/agent/control";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { classify, freshText, mappedAddress, openServers, passes, type Servers } from "./nat-rules/classify.ts";
import { createNatWorld, type NatWorld, type UdpPort } from "./nat-rules/nat-world.ts";

const { describe, test } = await needs("netns");

/** A NAT between two servers and two inside hosts; the second addresses are configured by hand. */
function topology(nat: string): string {
  return `
name: box-rules
summary: One middlebox between servers and inside hosts
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  home: { ipv4: 192.168.1.0/24, ipv6: 2001:db8:0:2::/64 }
nodes:
  middlebox: { role: router, wan: internet, lan: home, ${nat}, addresses: { internet: { ipv4: 198.18.0.1 } } }
  servers: { role: host, on: internet, image: x, addresses: { internet: { ipv4: 198.18.0.11, ipv6: 2001:db8:0:1::11 } } }
  inside: { role: host, on: home, image: x, addresses: { home: { ipv4: 192.168.1.2, ipv6: 2001:db8:0:2::2 } } }
`;
}

async function createWorld(nat: string): Promise<NatWorld> {
  const world = await createNatWorld(topology(nat));
  await Promise.all([
    world.shIn("servers", "ip addr add 198.18.0.12/24 dev internet"),
    world.shIn("inside", "ip addr add 192.168.1.3/24 dev home"),
  ]);
  return world;
}

async function withWorld(nat: string, use: (world: NatWorld, servers: Servers) => Promise<void>): Promise<void> {
  const world = await createWorld(nat);
  try {
    await use(world, await openServers(world));
  } finally {
    await world.end();
  }
}

const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const ALL_NATS = DEPENDENCE.flatMap((mapping) =>
  DEPENDENCE.flatMap((filtering) => [false, true].map((hairpinning) => ({ mapping, filtering, hairpinning }))),
);

describe("every point of RFC 4787", () => {
  let world: NatWorld;
  let servers: Servers;
  let port = 20000;

  beforeAll(async () => {
    world = await createWorld("nat: port-restricted-cone");
    servers = await openServers(world);
  });
  afterAll(() => world.end());

  /**
   * Reloads the NAT with a changed profile, with inside and outside ports that were not used before: connection
   * tracking still has the flows of those, which the new table does not have.
   */
  const load = async (change: Partial<NatProfile>): Promise<void> => {
    const router = world.router("middlebox");
    if (router.nat === undefined) throw new Error("the middlebox does not translate");
    port += 10;
    const firstPort = 30000 + 30 * (port - 20000);
    const ports = { first: firstPort, last: firstPort + 299 };
    await world.reload({ ...router, nat: { ...router.nat, ports, ...change } });
  };

  test.each(ALL_NATS)(
    "mapping $mapping, filtering $filtering, hairpinning $hairpinning is observed as declared",
    async (declared) => {
      for (const portAssignment of ["preserve", "random"] as const) {
        await load({ ...declared, portAssignment });
        expect(await classify(world, servers, port)).toEqual(declared);
      }
    },
  );

  test.each(ALL_NATS)(
    "mapping $mapping, filtering $filtering, hairpinning $hairpinning: a stray packet changes no mapping",
    async (declared) => {
      await load({ ...declared, portAssignment: "preserve" });
      const client = await world.open("inside", "192.168.1.2", port);
      const stray = freshText();
      servers.a2p2.send({ ip: "198.18.0.1", port }, stray);
      // The server's next packet arrives after the stray packet.
      const other = await world.open("inside", "192.168.1.3", port + 1);
      await passes(servers.a2p2, { socket: other, mapped: await mappedAddress(other, servers.a2p2) }, servers.a2p2);
      expect(client.has(stray)).toBe(false);
      expect(await mappedAddress(client, servers.a2p2)).toEqual({ ip: "198.18.0.1", port });
    },
  );

  test.each(DEPENDENCE)("two inside hosts on one source port get a port each, with %s mapping", async (mapping) => {
    for (const portAssignment of ["preserve", "random"] as const) {
      await load({ mapping, filtering: "endpoint-independent", portAssignment });
      const first = await world.open("inside", "192.168.1.2", port);
      const second = await world.open("inside", "192.168.1.3", port);
      const outside = [await mappedAddress(first, servers.a1p1), await mappedAddress(second, servers.a1p1)] as const;
      expect(outside[0].port).not.toBe(outside[1].port);
      expect(await passes(servers.a2p1, { socket: first, mapped: outside[0] }, servers.a1p1)).toBe(true);
      expect(await passes(servers.a2p1, { socket: second, mapped: outside[1] }, servers.a1p1)).toBe(true);
      expect(await mappedAddress(first, servers.a1p1)).toEqual(outside[0]);
      if (mapping === "endpoint-independent") {
        expect(await mappedAddress(second, servers.a2p2)).toEqual(outside[1]);
        expect(await mappedAddress(first, servers.a2p2)).toEqual(outside[0]);
      }
    }
  });

  test("preserved ports are kept, drawn ports lie in the range and follow from the seed", async () => {
    await load({ portAssignment: "preserve" });
    const kept = await world.open("inside", "192.168.1.2", port);
    expect((await mappedAddress(kept, servers.a1p1)).port).toBe(port);
    const ports = { first: 50000, last: 50009 };
    const draws: number[] = [];
    for (const seed of [1, 1, 2]) {
      await load({ portAssignment: "random", ports, seed });
      const client = await world.open("inside", "192.168.1.3", 30000 + draws.length);
      draws.push((await mappedAddress(client, servers.a1p1)).port);
    }
    for (const drawn of draws) expect(drawn).toBeGreaterThanOrEqual(ports.first);
    for (const drawn of draws) expect(drawn).toBeLessThanOrEqual(ports.last);
  });

  test("ports that are counted up follow each other, and begin anew after the last of the range", async () => {
    const ports = { first: 51000, last: 51003 };
    await load({ mapping: "address-and-port-dependent", portAssignment: "sequential", ports, seed: 1 });
    const client = await world.open("inside", "192.168.1.2", port);
    const seen: number[] = [];
    for (const server of [servers.a1p1, servers.a1p2, servers.a2p1, servers.a2p2])
      seen.push((await mappedAddress(client, server)).port);
    const [start = 0] = seen;
    expect(seen).toEqual([0, 1, 2, 3].map((i) => 51000 + ((start - 51000 + i) % 4)));
  });

  test("the kernel's own masquerading: hosts share a port while their destinations differ", async () => {
    await load({ portAssignment: "overload" });
    const first = await world.open("inside", "192.168.1.2", port);
    const second = await world.open("inside", "192.168.1.3", port);
    const kept = { ip: "198.18.0.1", port };
    expect(await mappedAddress(first, servers.a1p1)).toEqual(kept);
    expect(await mappedAddress(second, servers.a1p2)).toEqual(kept);
    // Where their flows would be the same, one of them gets another port, which it keeps for what comes next.
    const other = await mappedAddress(second, servers.a1p1);
    expect(other.port).not.toBe(port);
    expect(await mappedAddress(second, servers.a2p2)).toEqual(other);
    expect(await mappedAddress(second, servers.a1p2)).toEqual(kept);
    expect(await mappedAddress(first, servers.a2p1)).toEqual(kept);
    expect(await passes(servers.a2p2, { socket: first, mapped: kept }, servers.a1p1)).toBe(false);
  });

  test("a stray packet claims the port towards its sender, where the file says so", async () => {
    await load({ portAssignment: "overload", unsolicited: "poison" });
    const client = await world.open("inside", "192.168.1.2", port);
    servers.a1p1.send({ ip: "198.18.0.1", port }, freshText());
    // The server's next packet arrives after the stray packet.
    const other = await world.open("inside", "192.168.1.3", port + 1);
    await passes(servers.a1p1, { socket: other, mapped: await mappedAddress(other, servers.a1p1) }, servers.a1p1);
    expect((await mappedAddress(client, servers.a1p1)).port).not.toBe(port);
  });

  test.each(["preserve", "random"] as const)(
    "parity is preserved: even ports for even ones, odd for odd, ports assigned by %s",
    async (portAssignment) => {
      for (const seed of [1, 2]) {
        await load({ mapping: "address-and-port-dependent", portAssignment, parity: "preserve", seed });
        for (const inside of [port, port + 1, port + 2, port + 3]) {
          const rivals = await Promise.all(
            ["192.168.1.2", "192.168.1.3"].map((ip) => world.open("inside", ip, inside)),
          );
          for (const rival of rivals)
            for (const server of [servers.a1p1, servers.a1p2, servers.a2p1])
              expect((await mappedAddress(rival, server)).port % 2).toBe(inside % 2);
        }
      }
    },
  );

  test("as many endpoints as a small range has ports get nearly all of them", async () => {
    await load({
      mapping: "address-and-port-dependent",
      portAssignment: "random",
      ports: { first: 50100, last: 50115 },
      seed: 5,
    });
    const drawn = new Set<number>();
    for (let i = 0; i < 8; i += 1) {
      const client = await world.open("inside", "192.168.1.2", port + i);
      drawn.add((await mappedAddress(client, servers.a1p1)).port);
    }
    expect(drawn.size).toBe(8);
  });

  test("what is not UDP is translated too", async () => {
    await load({});
    expect(await world.shIn("inside", "ping -c 1 -W 1 198.18.0.11")).toContain("1 received");
  });
});

describe("inside hosts that begin at the same instant", () => {
  const RIVALS = { left: "192.168.1.3", right: "192.168.1.4" };
  const ROUNDS = 60;
  const INTERVAL_NS = 6_000_000n;

  test("and use one inside port get an outside port each, and every packet through", async () => {
    const nodes = Object.entries(RIVALS).map(
      ([name, ip]) => `  ${name}: { role: host, on: home, image: x, addresses: { home: { ipv4: ${ip} } } }\n`,
    );
    const world = await createNatWorld(topology("nat: port-restricted-cone") + nodes.join(""));
    try {
      const server = await world.open("servers", "198.18.0.11", 3478);
      const startAt = process.hrtime.bigint() + 1_000_000_000n;
      const outside = await Promise.all(
        Object.entries(RIVALS).map(async ([name, ip]) => {
          const sockets = await Promise.all(Array.from({ length: ROUNDS }, (_, i) => world.open(name, ip, 20_000 + i)));
          for (const [i, socket] of sockets.entries())
            socket.send(server, freshText(), startAt + BigInt(i) * INTERVAL_NS);
          await sleep(1000 + (ROUNDS * Number(INTERVAL_NS)) / 1e6);
          return Promise.all(sockets.map((socket) => mappedAddress(socket, server)));
        }),
      );
      expect(new Set(outside.flat().map(({ port }) => port)).size).toBe(2 * ROUNDS);
    } finally {
      await world.end();
    }
  });
});

describe.concurrent("the lifetime of a mapping", () => {
  /** The same check on a NAT of each filtering, in parallel. */
  async function withEveryFiltering(
    refresh: string,
    check: (send: UdpPort, client: UdpPort, mapped: Awaited<ReturnType<typeof mappedAddress>>) => Promise<void>,
  ): Promise<void> {
    const nat = (filtering: string): string =>
      `nat: { mapping: endpoint-independent, filtering: ${filtering}, udpLifetime: 2s, refresh: ${refresh} }`;
    await Promise.all(
      DEPENDENCE.map((filtering) =>
        withWorld(nat(filtering), async (world, { a1p1 }) => {
          const client = await world.open("inside", "192.168.1.2", 40000);
          await check(a1p1, client, await mappedAddress(client, a1p1));
        }),
      ),
    );
  }

  test("an idle mapping lives until its lifetime ends", async () => {
    await withEveryFiltering("both", async (server, client, mapped) => {
      await sleep(1300);
      expect(await arrives(server, client, mapped)).toBe(true);
      await sleep(3000);
      expect(await arrives(server, client, mapped)).toBe(false);
    });
  });

  test.each(["both", "outbound"])("packets from inside keep it alive, refresh %s", async (refresh) => {
    await withEveryFiltering(refresh, async (server, client, mapped) => {
      for (let i = 0; i < 3; i += 1) {
        await sleep(1000);
        expect(await mappedAddress(client, server)).toEqual(mapped);
      }
      expect(await arrives(server, client, mapped)).toBe(true);
    });
  });

  test.each([
    { refresh: "both", isAlive: true },
    { refresh: "outbound", isAlive: false },
  ])("packets from outside alone: refresh $refresh, alive $isAlive", async ({ refresh, isAlive }) => {
    await withEveryFiltering(refresh, async (server, client, mapped) => {
      for (let i = 0; i < 3; i += 1) {
        await sleep(1000);
        server.send(mapped, freshText());
      }
      expect(await arrives(server, client, mapped)).toBe(isAlive);
    });
  });
});

/** Whether a packet arrives within a time that is ample on one machine. */
async function arrives(from: UdpPort, to: UdpPort, address: { ip: string; port: number }): Promise<boolean> {
  const text = freshText();
  from.send(address, text);
  for (let i = 0; i < 10 && !to.has(text); i += 1) await sleep(30);
  return to.has(text);
}

describe.concurrent("the firewall", () => {
  const outside = { ip: "2001:db8:0:1::11", port: 7000 };
  const inside = { ip: "2001:db8:0:2::2", port: 7001 };

  const openEnds = async (world: NatWorld) => ({
    out: await world.open("servers", outside.ip, outside.port),
    in: await world.open("inside", inside.ip, inside.port),
  });

  test("IPv6 beside address translation is stateful: nothing in unasked, answers to the same port only", async () => {
    await withWorld("nat: port-restricted-cone", async (world) => {
      const ends = await openEnds(world);
      const stranger = await world.open("servers", outside.ip, outside.port + 1);
      expect(await arrives(ends.out, ends.in, inside)).toBe(false);
      expect(await arrives(ends.in, ends.out, outside)).toBe(true);
      expect(await arrives(ends.out, ends.in, inside)).toBe(true);
      expect(await arrives(stranger, ends.in, inside)).toBe(false);
    });
  });

  test("IPv6 state of an idle flow ends with its idle time", async () => {
    await withWorld("firewall: { preset: stateful, udpIdle: 2s }", async (world) => {
      const ends = await openEnds(world);
      expect(await arrives(ends.in, ends.out, outside)).toBe(true);
      await sleep(3000);
      expect(await arrives(ends.out, ends.in, inside)).toBe(false);
    });
  });

  test("a plain router lets everything through both ways", async () => {
    await withWorld("nat: none", async (world, servers) => {
      const ends = await openEnds(world);
      expect(await arrives(ends.out, ends.in, inside)).toBe(true);
      const client = await world.open("inside", "192.168.1.2", 7002);
      expect(await arrives(servers.a1p1, client, client)).toBe(true);
    });
  });

  test("udp-blocked lets no UDP out, and pings pass", async () => {
    await withWorld("nat: port-restricted-cone, firewall: udp-blocked", async (world, servers) => {
      const client = await world.open("inside", "192.168.1.2", 7002);
      expect(await arrives(client, servers.a1p1, servers.a1p1)).toBe(false);
      expect(await world.shIn("inside", "ping -c 1 -W 1 198.18.0.11")).toContain("1 received");
    });
  });

  test("tunnel-only lets UDP out to the home agents' ports alone", async () => {
    await withWorld("nat: port-restricted-cone, firewall: tunnel-only", async (world, servers) => {
      const client = await world.open("inside", "192.168.1.2", 7002);
      expect(await arrives(client, servers.a1p1, servers.a1p1)).toBe(true);
      expect(await arrives(client, servers.a1p2, servers.a1p2)).toBe(false);
    });
  });

  test("a pinhole admits its destination, port and source, and nothing beside them", async () => {
    const hole = `{ protocol: udp, to: inside, port: ${inside.port}, from: servers }`;
    await withWorld(`firewall: { preset: stateful, pinholes: [${hole}] }`, async (world) => {
      const ends = await openEnds(world);
      const elsewhere = await world.open("inside", inside.ip, inside.port + 1);
      expect(await arrives(ends.out, ends.in, inside)).toBe(true);
      expect(await arrives(ends.out, elsewhere, elsewhere)).toBe(false);
    });
  });
});

describe.concurrent("a forwarded port", () => {
  const FORWARDS =
    "forwards: [{ protocol: udp, port: 4191, to: inside, toPort: 5191 }, { protocol: tcp, port: 80, to: inside }]";
  const OUTSIDE = { ip: "198.18.0.1", port: 4191 };

  test.each(DEPENDENCE)(
    "lets everybody in whatever the filter is, %s, and stays when mappings end",
    async (filtering) => {
      const nat = `nat: { mapping: endpoint-independent, filtering: ${filtering}, udpLifetime: 2s, refresh: outbound }`;
      await withWorld(`${nat}, ${FORWARDS}`, async (world, { a1p1, a2p2 }) => {
        const server = await world.open("inside", "192.168.1.2", 5191);
        expect(await arrives(a1p1, server, OUTSIDE)).toBe(true);
        await sleep(3000);
        expect(await arrives(a1p1, server, OUTSIDE)).toBe(true);
        expect(await arrives(a2p2, server, OUTSIDE)).toBe(true);
        const text = freshText();
        server.send(a2p2, text);
        expect(await a2p2.source(text)).toEqual(OUTSIDE);
      });
    },
  );

  test("is what its socket sends from, and no port for anybody else", async () => {
    await withWorld(`nat: port-restricted-cone, ${FORWARDS}`, async (world, { a1p1 }) => {
      const [server, rival] = await Promise.all([
        world.open("inside", "192.168.1.2", 5191),
        world.open("inside", "192.168.1.3", 4191),
      ]);
      expect(await mappedAddress(server, a1p1)).toEqual(OUTSIDE);
      expect((await mappedAddress(rival, a1p1)).port).not.toBe(4191);
    });
  });

  test.each([true, false])("leads in from inside as well with hairpinning only: %s", async (hairpinning) => {
    const nat = `nat: { preset: port-restricted-cone, hairpinning: ${hairpinning} }`;
    await withWorld(`${nat}, ${FORWARDS}`, async (world) => {
      const [server, neighbour] = await Promise.all([
        world.open("inside", "192.168.1.2", 5191),
        world.open("inside", "192.168.1.3", 7000),
      ]);
      expect(await arrives(neighbour, server, OUTSIDE)).toBe(hairpinning);
    });
  });

  test("may be one of TCP", async () => {
    await withWorld(`nat: port-restricted-cone, ${FORWARDS}`, async (world) => {
      const run = (node: string, program: string) =>
        world.shIn(node, `timeout 10 ${process.execPath} -e 'const net = require("net"); ${program}'`);
      const [, said] = await Promise.all([
        run("inside", 'const s = net.createServer((c) => s.close(c.end(c.remoteAddress))).listen(80, "192.168.1.2");'),
        run(
          "servers",
          'const ask = () => net.connect(80, "198.18.0.1").on("error", () => setTimeout(ask, 50)).pipe(process.stdout); ask();',
        ),
      ]);
      expect(said).toBe("198.18.0.11");
    });
  });
});

describe.concurrent("a translated prefix", () => {
  const NAT = `prefixTranslation: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:a1::/64" }`;
  const LONE = { ip: "2001:db8:0:1::11", port: 7000 };

  test("every host inside is seen with an address of its own and its own port, and met there by its neighbours", async () => {
    await withWorld(`${NAT}, firewall: stateful`, async (world, { a1p1, a2p2 }) => {
      const [one, two] = await Promise.all([
        world.open("inside", "192.168.1.2", 7002),
        world.open("inside", "192.168.1.3", 7002),
      ]);
      const outside = { one: { ip: "198.18.1.2", port: 7002 }, two: { ip: "198.18.1.3", port: 7002 } };
      expect(await mappedAddress(one, a1p1)).toEqual(outside.one);
      expect(await mappedAddress(two, a1p1)).toEqual(outside.two);
      expect(await mappedAddress(one, a2p2)).toEqual(outside.one);
      const text = freshText();
      one.send(outside.two, text);
      expect(await two.source(text)).toEqual(outside.one);
      expect(await world.shIn("inside", "ping -c 1 -W 1 198.18.0.11")).toContain("1 received");
    });
  });

  test.each(["stateful", "open"])("who comes in unasked is the firewall's decision: %s", async (firewall) => {
    await withWorld(`${NAT}, firewall: ${firewall}`, async (world, { a1p1 }) => {
      const one = await world.open("inside", "192.168.1.2", 7003);
      expect(await arrives(a1p1, one, { ip: "198.18.1.2", port: 7003 })).toBe(firewall === "open");
      const out = await world.open("servers", LONE.ip, LONE.port);
      const six = await world.open("inside", "2001:db8:0:2::2", 7003);
      const outside = { ip: "2001:db8:a1::2", port: 7003 };
      expect(await arrives(out, six, outside)).toBe(firewall === "open");
      expect(await mappedAddress(six, out)).toEqual(outside);
      expect(await arrives(out, six, outside)).toBe(true);
    });
  });

  test("a pinhole to a node inside opens its outside address", async () => {
    const hole = "{ protocol: udp, to: inside, port: 7004 }";
    await withWorld(`${NAT}, firewall: { preset: stateful, pinholes: [${hole}] }`, async (world, { a1p1 }) => {
      const [one, other] = await Promise.all([
        world.open("inside", "192.168.1.2", 7004),
        world.open("inside", "192.168.1.2", 7005),
      ]);
      expect(await arrives(a1p1, one, { ip: "198.18.1.2", port: 7004 })).toBe(true);
      expect(await arrives(a1p1, other, { ip: "198.18.1.2", port: 7005 })).toBe(false);
    });
  });
});

test.each([true, false])(
  "isolated inside segments meet through the outside only, hairpinning %s",
  async (hairpinning) => {
    const world = await createNatWorld(`
name: two-lans
summary: One middlebox with two inside segments
segments: { internet: { ipv4: 198.18.0.0/24 }, home: { ipv4: 192.168.1.0/24 }, den: { ipv4: 192.168.2.0/24 } }
nodes:
  middlebox: { role: router, wan: internet, lan: [home, den], nat: { preset: port-restricted-cone, hairpinning: ${hairpinning} } }
  server: { role: host, on: internet, image: x }
  one: { role: host, on: home, image: x }
  two: { role: host, on: den, image: x }
`);
    try {
      const server = await world.open("server", "198.18.0.3", 3478);
      const [one, two] = await Promise.all([
        world.open("one", "192.168.1.2", 5000),
        world.open("two", "192.168.2.2", 5000),
      ]);
      const outside = { one: await mappedAddress(one, server), two: await mappedAddress(two, server) };
      expect(await arrives(one, two, two)).toBe(false);
      const text = freshText();
      one.send(outside.two, text);
      expect(await arrives(one, two, outside.two)).toBe(hairpinning);
      if (hairpinning) expect(await two.source(text)).toEqual(outside.one);
    } finally {
      await world.end();
    }
  },
);
