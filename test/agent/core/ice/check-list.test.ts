import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSocketAddress } from "../../../../agent/src/core/address.ts";
import {
  hostCandidate,
  type LocalCandidate,
  type RemoteCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
} from "../../../../agent/src/core/ice/candidate.ts";
import { CheckList, formCheckList } from "../../../../agent/src/core/ice/check-list.ts";
import { type CandidatePair, pathKey, waitingPair } from "../../../../agent/src/core/ice/pair.ts";
import { candidatePriority } from "../../../../agent/src/core/ice/priority.ts";

/** The candidates of SPEC 9. */
const HOST_L = { ip: "10.1.0.5", port: 40001 };
const LOCALS = [
  hostCandidate(HOST_L),
  serverReflexiveCandidate({ ip: "198.51.100.10", port: 61001 }, HOST_L),
  relayedCandidate({ ip: "2001:db8:a::100", port: 40001 }),
];
const REMOTES: RemoteCandidate[] = [
  remote("host", "192.168.2.7", 40002),
  remote("server-reflexive", "203.0.113.20", 62002),
  remote("relayed", "2001:db8:b::200", 40002),
];

describe("forming the list", () => {
  test("SPEC 9: five combinations of equal family become three pairs in this order", () => {
    const list = formCheckList("controlling", LOCALS, REMOTES);
    expect(list.map((pair) => [describePair(pair), pair.priority])).toEqual([
      ["host 10.1.0.5:40001 > 192.168.2.7:40002", 9151314442783293438n],
      ["host 10.1.0.5:40001 > 203.0.113.20:62002", 7277816997797167103n],
      ["relayed [2001:db8:a::100]:40001 > [2001:db8:b::200]:40002", 72057589776515070n],
    ]);
    expect(list.every((pair) => pair.state === "waiting")).toBe(true);
  });

  test("the controlled end has the mirrored list with its own tie-breaking bit", () => {
    const list = formCheckList("controlled", LOCALS, REMOTES);
    expect(list.map((pair) => pair.priority)).toEqual([9151314442783293438n, 7277816997797167102n, 72057589776515070n]);
  });

  test("remote candidates with one address make one pair, of the better priority", () => {
    const twice = [remote("server-reflexive", "192.0.2.9", 4000), remote("host", "192.0.2.9", 4000)];
    const list = formCheckList("controlling", [hostCandidate(HOST_L)], twice);
    expect(list.map((pair) => pair.remote.type)).toEqual(["host"]);
  });

  test("IPv6 link-local pairs only with link-local", () => {
    const locals = [hostCandidate({ ip: "fe80::1", port: 1 }), hostCandidate({ ip: "2001:db8::1", port: 1 }, 1)];
    const remotes = [remote("host", "febf::2", 2), remote("host", "2001:db8::2", 2)];
    expect(formCheckList("controlling", locals, remotes).map(describePair)).toEqual([
      "host [fe80::1]:1 > [febf::2]:2",
      "host [2001:db8::1]:1 > [2001:db8::2]:2",
    ]);
  });

  test.each([
    { name: "beside fe80::/10", ip: "fec0::1", peer: "2001:db8::2" },
    { name: "of another first octet", ip: "2080::1", peer: "2001:db8::2" },
    { name: "of IPv4", ip: "254.128.0.1", peer: "192.0.2.1" },
  ])("an address $name is not link-local", ({ ip, peer }) => {
    const locals = [hostCandidate({ ip, port: 1 })];
    expect(formCheckList("controlling", locals, [remote("host", peer, 2)]).length).toBe(1);
  });

  test("every pair waits from the start: none is frozen", () => {
    expect(formCheckList("controlling", LOCALS, REMOTES).map(({ state }) => state)).toEqual([
      "waiting",
      "waiting",
      "waiting",
    ]);
  });

  test("a socket on a segment without a router pairs with addresses on the segment only", () => {
    const bridge = hostCandidate({ ip: "10.99.0.2", port: 1, prefixLength: 24, hasRouter: false });
    const remotes = [remote("host", "10.99.0.7", 2), remote("server-reflexive", "203.0.113.20", 2)];
    expect(formCheckList("controlling", [bridge], remotes).map(describePair)).toEqual([
      "host 10.99.0.2:1 > 10.99.0.7:2",
    ]);
  });

  test("every path is on the list once, best first, whatever the candidates", () => {
    const address = fc.record({ ip: fc.integer({ min: 1, max: 6 }).map((i) => `10.0.0.${i}`), port: fc.constant(7) });
    const locals = fc.array(fc.tuple(address, address).map(([mapped, base]) => serverReflexiveCandidate(mapped, base)));
    const remotes = fc.array(
      fc.record({
        type: fc.constantFrom("host" as const, "relayed" as const),
        address,
        priority: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      }),
    );
    fc.assert(
      fc.property(locals, remotes, (l, r) => {
        const list = formCheckList("controlled", l, r);
        const paths = list.map((pair) => pathKey(pair.local.base, pair.remote.address));
        expect(new Set(paths).size).toBe(paths.length);
        expect(list.every((pair, i) => pair.priority <= (list[i - 1]?.priority ?? pair.priority))).toBe(true);
      }),
    );
  });
});

describe("the order of checks", () => {
  test("ordinary checks go down the list and end with it", () => {
    const list = checkList();
    expect(drain(list)).toEqual([
      "ordinary 192.168.2.7:40002",
      "ordinary 203.0.113.20:62002",
      "ordinary [2001:db8:b::200]:40002",
    ]);
    expect(list.hasDue).toBe(false);
  });

  test("triggered checks go before ordinary ones, first in, first out, each once", () => {
    const list = checkList();
    const [host, reflexive, relayed] = list.pairs;
    list.enqueueTriggered(defined(relayed));
    list.enqueueTriggered(defined(reflexive));
    list.enqueueTriggered(defined(relayed));
    expect(drain(list)).toEqual([
      "triggered [2001:db8:b::200]:40002",
      "triggered 203.0.113.20:62002",
      `ordinary ${formatSocketAddress(defined(host).remote.address)}`,
    ]);
  });

  test("after three triggered checks in a row a Waiting pair gets its turn", () => {
    const list = checkList();
    const [host, reflexive, relayed] = list.pairs;
    const taken: string[] = [];
    defined(host).state = "in-progress";
    for (let i = 0; i < 5; i++) {
      list.enqueueTriggered(defined(host));
      const due = list.takeDue();
      taken.push(`${due?.kind} ${due?.pair.remote.type}`);
      if (due?.kind === "ordinary") due.pair.state = "in-progress";
    }
    expect(taken).toEqual([...Array<string>(3).fill("triggered host"), "ordinary server-reflexive", "triggered host"]);
    expect([defined(reflexive).state, defined(relayed).state]).toEqual(["in-progress", "waiting"]);
  });

  test("a nominating check waits for nobody, and does not count as triggered", () => {
    const list = checkList();
    const host = defined(list.pairs[0]);
    host.state = "in-progress";
    for (let i = 0; i < 3; i++) {
      list.enqueueTriggered(host);
      list.takeDue();
    }
    list.enqueueNominating(host);
    expect(list.takeDue()?.kind).toBe("nominating");
    const fresh = checkList();
    const first = defined(fresh.pairs[0]);
    first.state = "in-progress";
    for (let i = 0; i < 3; i++) {
      fresh.enqueueNominating(first);
      fresh.takeDue();
    }
    fresh.enqueueTriggered(first);
    expect(fresh.takeDue()?.kind).toBe("triggered");
  });

  test("a nominating check goes first, and outlives the pair's success", () => {
    const list = checkList();
    const [other, pair] = [defined(list.pairs[0]), defined(list.pairs[1])];
    pair.state = "succeeded";
    list.enqueueTriggered(other);
    list.enqueueNominating(pair);
    list.dequeue(pair);
    expect(list.takeDue()).toEqual({ pair, kind: "nominating" });
    expect(list.takeDue()).toEqual({ pair: other, kind: "triggered" });
  });

  test("losing control takes nominating checks back, and what the peer nominated", () => {
    const list = checkList();
    const pair = defined(list.pairs[1]);
    pair.state = "succeeded";
    pair.isNominatedByPeer = true;
    list.enqueueNominating(pair);
    list.takeRole("controlled");
    expect(list.takeDue()?.kind).toBe("ordinary");
    expect(list.pairs.some(({ isNominatedByPeer }) => isNominatedByPeer)).toBe(false);
  });

  test("conclusion forgets Waiting pairs and the queue", () => {
    const list = checkList();
    const [host, reflexive] = list.pairs;
    defined(host).state = "in-progress";
    defined(reflexive).state = "succeeded";
    list.enqueueTriggered(defined(host));
    list.conclude();
    expect(list.pairs).toEqual([host, reflexive]);
    expect(list.hasDue).toBe(false);
  });
});

describe("pairs learned while checks run", () => {
  const learned = { type: "peer-reflexive" as const, address: { ip: "203.0.113.99", port: 1 }, priority: 0x6effffff };

  test("are inserted by priority", () => {
    const list = checkList();
    expect(list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned))).toBe(true);
    expect(list.pairs.map((pair) => pair.remote.type)).toEqual([
      "host",
      "peer-reflexive",
      "server-reflexive",
      "relayed",
    ]);
    expect(list.find(HOST_L, learned.address)?.remote).toBe(learned);
  });

  test("push the lowest Waiting pair out of a full list, but never the relayed one", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    expect(list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned))).toBe(true);
    expect(list.pairs.map((pair) => pair.remote.type)).toEqual(["host", "peer-reflexive", "relayed"]);
  });

  test("push a queued pair out of the queue as well", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    list.enqueueTriggered(defined(list.pairs[1]));
    list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned));
    expect(drain(list)).toEqual([
      "ordinary 192.168.2.7:40002",
      "ordinary 203.0.113.99:1",
      "ordinary [2001:db8:b::200]:40002",
    ]);
  });

  test("leave a queue of others alone", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    list.enqueueTriggered(defined(list.pairs[2]));
    list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned));
    expect(drain(list)[0]).toBe("triggered [2001:db8:b::200]:40002");
  });

  test("push no pair of their own rank out", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    const equal = remote("server-reflexive", "203.0.113.99", 1);
    expect(list.insert(waitingPair("controlling", hostCandidate(HOST_L), equal))).toBe(false);
  });

  test("push a Failed pair out first, whatever its rank", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    defined(list.pairs[0]).state = "failed";
    expect(list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned))).toBe(true);
    expect(list.pairs.map((pair) => pair.remote.type)).toEqual(["peer-reflexive", "server-reflexive", "relayed"]);
  });

  test("are refused when a full list has nothing lower to give up", () => {
    const list = new CheckList(formCheckList("controlling", LOCALS, REMOTES), 3);
    for (const pair of list.pairs) pair.state = "in-progress";
    expect(list.insert(waitingPair("controlling", hostCandidate(HOST_L), learned))).toBe(false);
    expect(list.pairs).toHaveLength(3);
  });
});

test("a role change gives every pair the priority the other role computes, and keeps the queue", () => {
  const list = checkList();
  const queued = defined(list.pairs[1]);
  list.enqueueTriggered(queued);
  list.takeRole("controlled");
  expect(list.pairs.map((pair) => pair.priority)).toEqual([
    9151314442783293438n,
    7277816997797167102n,
    72057589776515070n,
  ]);
  expect(list.takeDue()?.pair).toBe(queued);
});

test("counts by state", () => {
  const list = checkList();
  defined(list.pairs[0]).state = "in-progress";
  defined(list.pairs[2]).state = "failed";
  expect([list.count("waiting"), list.count("in-progress", "failed"), list.open.length]).toEqual([1, 2, 2]);
});

function checkList(): CheckList {
  return new CheckList(formCheckList("controlling", LOCALS, REMOTES), 100);
}

/** Takes every due check as a scheduler would; each becomes In-Progress. */
function drain(list: CheckList): string[] {
  const taken: string[] = [];
  for (let due = list.takeDue(); due !== undefined; due = list.takeDue()) {
    due.pair.state = "in-progress";
    taken.push(`${due.kind} ${formatSocketAddress(due.pair.remote.address)}`);
  }
  return taken;
}

function remote(type: RemoteCandidate["type"], ip: string, port: number): RemoteCandidate {
  return { type, address: { ip, port }, priority: candidatePriority(type) };
}

function describePair({ local, remote: { address } }: { local: LocalCandidate; remote: RemoteCandidate }): string {
  return `${local.type} ${formatSocketAddress(local.address)} > ${formatSocketAddress(address)}`;
}

function defined(pair: CandidatePair | undefined): CandidatePair {
  if (pair === undefined) throw new Error("the list is shorter than the test expects");
  return pair;
}
