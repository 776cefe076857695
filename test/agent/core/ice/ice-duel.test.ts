import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSocketAddress } from "../../../../agent/src/core/address.ts";
import type { IceRole } from "../../../../agent/src/core/events.ts";
import type { NatDependence } from "../../../../agent/src/core/nat/nat-profile.ts";
import {
  type Duel,
  duel,
  FULL_CONE,
  firstAt,
  type Middlebox,
  OPEN,
  PORT_RESTRICTED,
  PRIVATE_SOCKET,
  SYMMETRIC,
  selectedTypes,
} from "./duel.ts";
import { statusOf } from "./hand-made-peer.ts";

const AGES = 40_000;

describe("who wins, when, and with how many packets", () => {
  test.each([
    {
      name: "open and open: host/host, the first check of all",
      nats: [OPEN, OPEN],
      selected: "host/host",
      nominatedAt: [30, 29],
      sent: [2, 2],
      packets: 8,
    },
    {
      name: "two port-restricted NATs: both reflexive addresses, in less than four Ta",
      nats: [PORT_RESTRICTED, PORT_RESTRICTED],
      selected: "server-reflexive/server-reflexive",
      nominatedAt: [70, 69],
      sent: [4, 4],
      packets: 15,
    },
    {
      name: "symmetric and full cone: L is peer-reflexive",
      nats: [SYMMETRIC, FULL_CONE],
      selected: "peer-reflexive/server-reflexive",
      nominatedAt: [70, 69],
      sent: [4, 4],
      packets: 15,
    },
    {
      name: "full cone and symmetric: R is peer-reflexive, and a check to its signalled address dies",
      nats: [FULL_CONE, SYMMETRIC],
      selected: "server-reflexive/peer-reflexive",
      nominatedAt: [132, 131],
      sent: [5, 3],
      packets: 19,
    },
    {
      name: "open and port-restricted: the private address holds nomination for 50 ms after its check",
      nats: [OPEN, PORT_RESTRICTED],
      selected: "host/server-reflexive",
      nominatedAt: [100, 99],
      sent: [4, 2],
      packets: 11,
    },
    {
      name: "two symmetric NATs: nothing direct works, the relayed pair is taken after two seconds",
      nats: [SYMMETRIC, SYMMETRIC],
      selected: "relayed/relayed",
      nominatedAt: [2064, 2060],
      sent: [4, 3],
      packets: 36,
    },
    {
      name: "symmetric and port-restricted: relayed",
      nats: [SYMMETRIC, PORT_RESTRICTED],
      selected: "relayed/relayed",
      nominatedAt: [2064, 2060],
      sent: [4, 3],
      packets: 36,
    },
  ])("$name", ({ nats: [natL, natR], selected, nominatedAt, sent, packets }) => {
    const { world, l, r } = duel({ natL, natR });
    world.runUntil(2100);
    expect([selectedTypes(l), mirrored(selectedTypes(r))]).toEqual([selected, selected]);
    expect([firstAt(l, "nominated"), firstAt(r, "nominated")]).toEqual(nominatedAt);
    expect([l.agent.stats().checksSent, r.agent.stats().checksSent]).toEqual(sent);
    const untilNominated = world.segment.filter(({ sentAt }) => sentAt <= (nominatedAt[0] ?? 0));
    expect(untilNominated).toHaveLength(packets);
  });

  test("two port-restricted NATs, packet by packet", () => {
    const { world } = duel({ natL: PORT_RESTRICTED, natR: PORT_RESTRICTED });
    world.runUntil(100);
    expect(
      world.segment.map((entry) => [entry.sentAt, arrow(entry), entry.payload.length, entry.fate].join(" ")),
    ).toEqual([
      "4 192.168.1.2:40001 > 192.168.1.2:40001 88 delivered",
      "4 192.168.1.2:40001 > 192.168.1.2:40001 48 delivered",
      "8 192.168.1.2:40001 > 192.168.1.2:40001 88 delivered",
      "8 192.168.1.2:40001 > 192.168.1.2:40001 48 delivered",
      "24 203.0.113.20:62001 > 198.51.100.10:61001 88 filtered",
      "28 198.51.100.10:61001 > 203.0.113.20:62001 88 delivered",
      "29 203.0.113.20:62001 > 198.51.100.10:61001 64 delivered",
      "44 203.0.113.20:62001 > 198.51.100.10:61001 88 delivered",
      "45 198.51.100.10:61001 > 203.0.113.20:62001 64 delivered",
      "48 [2001:db8:a::100]:40001 > [2001:db8:b::200]:40001 88 delivered",
      "52 [2001:db8:b::200]:40001 > [2001:db8:a::100]:40001 76 delivered",
      "64 [2001:db8:b::200]:40001 > [2001:db8:a::100]:40001 88 delivered",
      "68 [2001:db8:a::100]:40001 > [2001:db8:b::200]:40001 76 delivered",
      "68 198.51.100.10:61001 > 203.0.113.20:62001 92 delivered",
      "69 203.0.113.20:62001 > 198.51.100.10:61001 64 delivered",
    ]);
  });

  test("with the delay of SPEC 2.9 alone the same pair is nominated 100 ms after it became valid", () => {
    const { world, l } = duel({
      natL: PORT_RESTRICTED,
      natR: PORT_RESTRICTED,
      config: { limits: { settleRtts: 0 } },
    });
    world.runUntil(2000);
    expect([firstAt(l, "pair-valid"), firstAt(l, "nominated")]).toEqual([30, 132]);
  });

  test("with the profile rfc8445 the same pair is nominated two Ta of 50 ms later", () => {
    const { world, l } = duel({
      natL: PORT_RESTRICTED,
      natR: PORT_RESTRICTED,
      config: { profile: "rfc8445" },
    });
    world.runUntil(2000);
    expect(selectedTypes(l)).toBe("server-reflexive/server-reflexive");
    expect(firstAt(l, "nominated")).toBe(110);
  });

  test("a lost check costs no retransmission timeout when the peer's own check gets through", () => {
    const { world, l, r } = duel({
      natL: PORT_RESTRICTED,
      natR: PORT_RESTRICTED,
      tap: ({ sentAt, from }) => (from === "L" && sentAt === 28 ? "lost" : "pass"),
    });
    world.runUntil(2000);
    expect([selectedTypes(l), selectedTypes(r)]).toEqual(Array(2).fill("server-reflexive/server-reflexive"));
    expect(firstAt(l, "nominated")).toBeLessThan(250);
  });
});

describe("the same private address at both ends", () => {
  const run = (): Duel => {
    const both = duel({ natL: PORT_RESTRICTED, natR: PORT_RESTRICTED });
    both.world.runUntil(AGES);
    return both;
  };

  test("one's own check comes back, is refused, and the refusal is ignored", () => {
    const { world, l } = run();
    const home = world.segment.filter(({ from, destination }) => from === "L" && destination.ip === PRIVATE_SOCKET.ip);
    expect(home.map(({ payload }) => payload.length)).toEqual([88, 48]);
    expect(statusOf(home[1]?.payload ?? new Uint8Array())).toBe(401);
    expect(l.agent.stats().dropped).toMatchObject({ "unauthenticated-request": 1, "unauthenticated-response": 1 });
  });

  test("it never becomes a candidate, a valid pair or a source of data", () => {
    const { l, r } = run();
    for (const { agent, log } of [l, r]) {
      expect(log.filter(({ event }) => event.type === "peer-reflexive")).toEqual([]);
      expect(agent.acceptsDataFrom(PRIVATE_SOCKET, PRIVATE_SOCKET)).toBe(false);
      expect(agent.validPairs().map((pair) => pair.remote.type)).toEqual(["server-reflexive", "relayed"]);
    }
  });
});

describe("NAT by NAT (SPEC 7.3)", () => {
  const dependences = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
  const nats = dependences.flatMap((mapping) => dependences.map((filtering) => ({ mapping, filtering })));
  const pairs = nats.flatMap((natL) => nats.map((natR) => ({ natL, natR, direct: expectDirect(natL, natR) })));

  test.each(pairs)("$boxL.mapping/$boxL.filtering x $boxR.mapping/$boxR.filtering: direct $direct", (row) => {
    const { world, l, r } = duel(row);
    world.runUntil(AGES);
    expect([l.agent.state, r.agent.state]).toEqual(["completed", "completed"]);
    expect(l.agent.selectedPair()?.remote.address).toEqual(r.agent.selectedPair()?.local.address);
    expect(r.agent.selectedPair()?.remote.address).toEqual(l.agent.selectedPair()?.local.address);
    const isDirect = selectedTypes(l) !== "relayed/relayed";
    if (row.direct !== "depends") expect(isDirect).toBe(row.direct === "yes");
    for (const { agent } of [l, r]) expect(agent.stats().checksSent + agent.stats().retransmits).toBeLessThan(400);
  });
});

test("two NATs that give every check a new address cannot starve the relayed pair", () => {
  const middlebox = { mapping: "address-and-port-dependent", filtering: "endpoint-independent" } as const;
  const { world, l, r } = duel({ natL: middlebox, natR: middlebox });
  world.runUntil(AGES);
  expect([selectedTypes(l), selectedTypes(r)]).toEqual(["relayed/relayed", "relayed/relayed"]);
  expect(firstAt(l, "nominated")).toBeLessThan(2300);
  for (const { agent } of [l, r]) expect(agent.stats().checksSent + agent.stats().retransmits).toBeLessThan(400);
});

describe("role conflicts", () => {
  test.each<{ role: IceRole; seed: number }>([
    { role: "controlling", seed: 1 },
    { role: "controlling", seed: 2 },
    { role: "controlling", seed: 3 },
    { role: "controlled", seed: 1 },
    { role: "controlled", seed: 2 },
    { role: "controlled", seed: 3 },
  ])("both $role, seed $seed: one gives way, and the pair is the usual one", ({ role, seed }) => {
    const { world, l, r } = duel({ natL: PORT_RESTRICTED, natR: PORT_RESTRICTED, roleL: role, roleR: role, seed });
    world.runUntil(AGES);
    expect([l.agent.role, r.agent.role].toSorted()).toEqual(["controlled", "controlling"]);
    expect([selectedTypes(l), selectedTypes(r)]).toEqual(Array(2).fill("server-reflexive/server-reflexive"));
    expect(l.agent.selectedPair()?.priority).toBe(r.agent.selectedPair()?.priority);
    expect(firstAt(l, "nominated")).toBeLessThan(200);
  });

  test("a 487 is answered with a new tie-breaker, and both ends tell of the conflict", () => {
    const { world, l, r } = duel({ natL: OPEN, natR: OPEN, roleL: "controlling", roleR: "controlling" });
    world.runUntil(100);
    const conflicts = [...l.log, ...r.log].filter(({ event }) => event.type === "role-conflict");
    expect(conflicts.length).toBeGreaterThan(0);
    const statuses = [...Object.keys(l.agent.stats().answersSent), ...Object.keys(r.agent.stats().answersSent)];
    expect(statuses).toContain("487");
  });
});

describe("time", () => {
  test.each([0, -5000, 0.3, 1e9 + 0.7])("the run is the same when it starts at %d", (startAt) => {
    const { world, l } = duel({ natL: PORT_RESTRICTED, natR: PORT_RESTRICTED, startAt });
    world.runUntil(startAt + AGES);
    expect(selectedTypes(l)).toBe("server-reflexive/server-reflexive");
    expect((firstAt(l, "nominated") ?? 0) - startAt).toBeCloseTo(70, 3);
    expect(world.segment).toHaveLength(31);
  });

  test("an agent that is never told of the peer asks for no wake-up", () => {
    const { world, l } = duel({ natL: OPEN, natR: OPEN });
    world.runUntil(1);
    expect(l.agent.pollTimeout()).toBeUndefined();
  });
});

describe("reproducibility", () => {
  test("one seed gives the same octets, another gives others", () => {
    const trace = (seed: number): string[] => {
      const { world } = duel({ natL: PORT_RESTRICTED, natR: SYMMETRIC, seed });
      world.runUntil(AGES);
      return world.trace();
    };
    expect(trace(7)).toEqual(trace(7));
    expect(trace(7)).not.toEqual(trace(8));
  });
});

test("with any loss, delay and middleboxes the ends agree, or the packets ran out", () => {
  const middlebox = fc.option(
    fc.record({
      mapping: fc.constantFrom<NatDependence>("endpoint-independent", "address-dependent"),
      filtering: fc.constantFrom<NatDependence>("endpoint-independent", "address-and-port-dependent"),
    }),
    { nil: undefined },
  );
  const loss = fc.array(fc.nat(60), { maxLength: 20 });
  fc.assert(
    fc.property(
      middlebox,
      middlebox,
      loss,
      fc.double({ min: 0.1, max: 60, noNaN: true }),
      (natL, natR, lost, delayMs) => {
        let count = 0;
        const tap = (): "lost" | "pass" => (lost.includes(count++) ? "lost" : "pass");
        const { world, l, r } = duel({ natL, natR, delayMs, tap });
        world.runUntil(AGES);
        expect([l.agent.state, r.agent.state]).toEqual(["completed", "completed"]);
        expect(l.agent.selectedPair()?.remote.address).toEqual(r.agent.selectedPair()?.local.address);
      },
    ),
    { numRuns: 200 },
  );
});

/** SPEC 7.3, row by row; `depends` is where it says "in general". */
function expectDirect(l: NonNullable<Middlebox>, r: NonNullable<Middlebox>): "yes" | "no" | "depends" {
  const [natL, natR] = [l, r].map(({ mapping }) => mapping === "endpoint-independent");
  if (natL === true && natR === true) return "yes";
  if (natL === true) return l.filtering === "address-and-port-dependent" ? "no" : "yes";
  if (natR === true) return r.filtering === "address-and-port-dependent" ? "no" : "yes";
  if ([l, r].some(({ mapping }) => mapping === "address-and-port-dependent")) return "depends";
  const open = [l, r].filter(({ filtering }) => filtering === "endpoint-independent").length;
  const closed = [l, r].filter(({ filtering }) => filtering === "address-and-port-dependent").length;
  if (open === 0) return "no";
  return closed === 0 ? "yes" : "depends";
}

function mirrored(types: string): string {
  return types.split("/").toReversed().join("/");
}

function arrow({ source, destination }: Duel["world"]["segment"][number]): string {
  return `${formatSocketAddress(source)} > ${formatSocketAddress(destination)}`;
}
