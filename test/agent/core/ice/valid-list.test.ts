import { describe, expect, test } from "vitest";
import {
  hostCandidate,
  type RemoteCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
} from "../../../../agent/src/core/ice/candidate.ts";
import { waitingPair } from "../../../../agent/src/core/ice/pair.ts";
import { ValidList } from "../../../../agent/src/core/ice/valid-list.ts";

const HOST = hostCandidate({ ip: "10.1.0.5", port: 40_001 });
const MAPPED = serverReflexiveCandidate({ ip: "198.51.100.10", port: 61_001 }, HOST.address);
const RELAYED = relayedCandidate({ ip: "2001:db8:a::100", port: 40_001 });
const NEAR: RemoteCandidate = { type: "host", address: { ip: "192.168.2.7", port: 40_002 }, priority: 0x7effffff };
const FAR: RemoteCandidate = {
  type: "server-reflexive",
  address: { ip: "203.0.113.20", port: 62_002 },
  priority: 0x64ffffff,
};
const HOME: RemoteCandidate = {
  type: "relayed",
  address: { ip: "2001:db8:b::200", port: 40_002 },
  priority: 0x00ffffff,
};
const near = waitingPair("controlling", HOST, NEAR);
const far = waitingPair("controlling", HOST, FAR);

/** Both pairs valid, the one with lower priority first. */
function validList(): ValidList {
  const list = new ValidList();
  list.prove(10, "controlling", MAPPED, far, 4);
  list.prove(20, "controlling", HOST, near, 2);
  return list;
}

const remotesOf = (list: ValidList) => list.pairs.map(({ remote }) => remote.type);

test("pairs are kept best first, each with what it was proved by and when", () => {
  expect(validList().pairs).toEqual([
    expect.objectContaining({ local: HOST, remote: NEAR, provenBy: near, validAt: 20, rttMs: 2, isNominated: false }),
    expect.objectContaining({ local: MAPPED, remote: FAR, provenBy: far, validAt: 10, rttMs: 4, isNominated: false }),
  ]);
});

describe("a pair that is proved again", () => {
  test("is no new one, keeps its age, and tells the latest round trip", () => {
    const list = validList();
    const { pair, isNew } = list.prove(99, "controlling", MAPPED, far, 7);
    expect({ isNew, validAt: pair.validAt, rttMs: pair.rttMs }).toEqual({ isNew: false, validAt: 10, rttMs: 7 });
    expect(list.pairs.length).toBe(2);
  });

  test("from another local candidate, or to another remote one, is another pair", () => {
    const list = validList();
    expect(list.prove(30, "controlling", HOST, far, 1).isNew).toBe(true);
    expect(list.prove(30, "controlling", MAPPED, near, 1).isNew).toBe(true);
    expect(list.pairs.length).toBe(4);
  });
});

test.each([
  { name: "from a home address", local: RELAYED, provenBy: near, isRelayed: true },
  { name: "to a home address", local: HOST, provenBy: waitingPair("controlling", HOST, HOME), isRelayed: true },
  {
    name: "by a check that left from a home address",
    local: HOST,
    provenBy: waitingPair("controlling", RELAYED, NEAR),
    isRelayed: true,
  },
  { name: "between other addresses", local: MAPPED, provenBy: far, isRelayed: false },
])("a pair proved $name is relayed: $isRelayed", ({ local, provenBy, isRelayed }) => {
  expect(new ValidList().prove(0, "controlling", local, provenBy, 1).pair.isRelayed).toBe(isRelayed);
});

test("the best of the nominated pairs is selected", () => {
  const list = validList();
  const [best, other] = list.pairs;
  expect(list.selected).toBeUndefined();
  if (other !== undefined) other.isNominated = true;
  expect(list.selected).toBe(other);
  if (best !== undefined) best.isNominated = true;
  expect(list.selected).toBe(best);
});

test("a pair whose check fails takes along what that check proved, and nothing else", () => {
  const list = validList();
  list.disprove(near);
  expect(remotesOf(list)).toEqual(["server-reflexive"]);
  expect([list.provenBy(near), list.provenBy(far)]).toEqual([undefined, list.pairs[0]]);
});

test("a change of role gives every pair the other role's priority", () => {
  const list = validList();
  list.takeRole("controlled");
  expect(list.pairs.map(({ priority }) => priority)).toEqual([9151314442783293438n, 7277816996924751870n]);
  const mirrored = new ValidList();
  mirrored.prove(0, "controlling", HOST, far, 1);
  mirrored.takeRole("controlled");
  expect(mirrored.pairs[0]?.priority).toBe(7277816997797167102n);
});

test("a cleared list holds nothing", () => {
  const list = validList();
  list.clear();
  expect(list.pairs).toEqual([]);
});
