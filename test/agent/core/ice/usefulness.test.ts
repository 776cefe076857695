import { describe, expect, test } from "vitest";
import { formatSocketAddress } from "../../../../agent/src/core/address.ts";
import {
  hostCandidate,
  type LocalCandidate,
  type RemoteCandidate,
  relayedCandidate,
  serverReflexiveCandidate,
} from "../../../../agent/src/core/ice/candidate.ts";
import { formCheckList } from "../../../../agent/src/core/ice/check-list.ts";
import type { CandidatePair } from "../../../../agent/src/core/ice/pair.ts";
import { candidatePriority } from "../../../../agent/src/core/ice/priority.ts";
import { limitPairs, limitRemotes, rankForPeer, withinReach } from "../../../../agent/src/core/ice/usefulness.ts";
import type { LocalSocket } from "../../../../agent/src/core/local-socket.ts";

const HOME_L = relayedCandidate({ ip: "2001:db8:a::100", port: 1 });
const HOME_R = remote("relayed", "2001:db8:b::200");

/** Sixteen bridges, then the network that leads anywhere: all private, as far as anybody knows. */
const BRIDGES_L = Array.from({ length: 16 }, (_, i) => socket(`10.100.${i}.2`));
const LAN_L = socket("192.168.1.2");
const LOCALS: LocalCandidate[] = [
  ...[...BRIDGES_L, LAN_L].map((base, rank) => hostCandidate(base, rank)),
  serverReflexiveCandidate({ ip: "198.51.100.10", port: 61001 }, LAN_L, 16),
  HOME_L,
];
const MAPPED_R = remote("server-reflexive", "203.0.113.20");
const REMOTES: RemoteCandidate[] = [
  ...Array.from({ length: 16 }, (_, i) => remote("host", `10.200.${i}.2`, i)),
  remote("host", "192.168.2.2", 16),
  MAPPED_R,
  HOME_R,
];

describe("of more pairs than may be checked", () => {
  const all = formCheckList("controlling", LOCALS, REMOTES);
  const kept = limitPairs(all, 100);

  test("100 stay, best first", () => {
    expect(all).toHaveLength(17 * 18 + 1);
    expect(kept).toHaveLength(100);
    expect(kept.map(({ priority }) => priority)).toEqual(
      kept.map(({ priority }) => priority).toSorted((a, b) => (a > b ? -1 : 1)),
    );
  });

  test("the pair through the home agents is among them, and the one that leads through both NATs", () => {
    expect(kept.map(describePair)).toContain("relayed [2001:db8:a::100]:1 > [2001:db8:b::200]:1");
    expect(kept.map(describePair)).toContain("host 192.168.1.2:1 > 203.0.113.20:1");
  });

  test("each socket and each address of the peer has its turn before any has many", () => {
    const count = (key: (pair: CandidatePair) => string): readonly number[] => {
      const counts = new Map<string, number>();
      for (const pair of kept) counts.set(key(pair), (counts.get(key(pair)) ?? 0) + 1);
      return [...counts.values()];
    };
    const bySocket = count(({ local }) => formatSocketAddress(local.base));
    const byRemote = count(({ remote: { address } }) => formatSocketAddress(address));
    expect([bySocket.length, Math.min(...bySocket.slice(0, 17)), Math.max(...bySocket)]).toEqual([18, 5, 6]);
    expect(byRemote).toHaveLength(19);
  });

  test("those on a segment of both ends stay, however low their priority", () => {
    const shared = hostCandidate({ ...LAN_L, prefixLength: 24, hasRouter: true }, 60_000);
    const neighbour = { ...remote("host", "192.168.1.77"), priority: 1 };
    const pairs = formCheckList("controlling", [...LOCALS.slice(0, 16), shared, HOME_L], [...REMOTES, neighbour]);
    expect(limitPairs(pairs, 20).map(describePair)).toContain("host 192.168.1.2:1 > 192.168.1.77:1");
  });

  test("where there is room for few, the pair of both home addresses is the last to go", () => {
    const sixes = Array.from({ length: 8 }, (_, i) => hostCandidate(socket(`2001:db8:1:${i}::2`), i));
    const pairs = formCheckList("controlled", [...sixes, HOME_L], [remote("host", "2001:db8:2::2"), HOME_R]);
    expect(limitPairs(pairs, 1).map(describePair)).toEqual(["relayed [2001:db8:a::100]:1 > [2001:db8:b::200]:1"]);
    expect(limitPairs(pairs, 10).every(({ local, remote: r }) => [local.type, r.type].includes("relayed"))).toBe(true);
  });

  test("as many as there is room for are all kept", () => {
    expect(limitPairs(all, all.length)).toBe(all);
  });
});

describe("of more candidates of the peer than are used", () => {
  test("the home address stays, then those on a segment of this node, then those that are reached from anywhere", () => {
    const local = hostCandidate({ ...LAN_L, prefixLength: 24, hasRouter: true });
    const neighbour = { ...remote("host", "192.168.1.77"), priority: 1 };
    const remotes = [...REMOTES.slice(0, 17), MAPPED_R, HOME_R, neighbour];
    expect(limitRemotes(remotes, [local], 1)).toEqual([HOME_R]);
    expect(limitRemotes(remotes, [local], 2)).toEqual([HOME_R, neighbour]);
    expect(limitRemotes(remotes, [local], 3)).toEqual([MAPPED_R, HOME_R, neighbour]);
    expect(limitRemotes(remotes, [local], 4)).toEqual([REMOTES[0], MAPPED_R, HOME_R, neighbour]);
  });
});

describe("own candidates", () => {
  const bridge = hostCandidate({ ...socket("10.99.0.2"), prefixLength: 24, hasRouter: false });
  const mapped = serverReflexiveCandidate({ ip: "198.51.100.10", port: 61001 }, LAN_L);

  test("are told in the order of use: home address, what is reached from anywhere, private ones, bridges", () => {
    const open = hostCandidate(socket("2001:db8:1::2"), 3);
    const lan = hostCandidate(LAN_L, 1);
    expect(rankForPeer([bridge, lan, open, mapped, HOME_L])).toEqual([HOME_L, open, mapped, lan, bridge]);
  });

  test("of a segment without a router are no answer to an offer that has none there", () => {
    expect(withinReach([bridge, mapped, HOME_L], REMOTES)).toEqual([mapped, HOME_L]);
    expect(withinReach([bridge, HOME_L], [remote("host", "10.99.0.7"), HOME_R])).toEqual([bridge, HOME_L]);
  });
});

function socket(ip: string): LocalSocket {
  return { ip, port: 1 };
}

function remote(type: RemoteCandidate["type"], ip: string, rank = 0): RemoteCandidate {
  return { type, address: { ip, port: 1 }, priority: candidatePriority(type, 65_535 - rank) };
}

function describePair({ local, remote: { address } }: CandidatePair): string {
  return `${local.type} ${formatSocketAddress(local.address)} > ${formatSocketAddress(address)}`;
}
