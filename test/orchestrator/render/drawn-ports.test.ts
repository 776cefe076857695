import fc from "fast-check";
import { expect, test } from "vitest";
import { MOST_DRAWN_PORTS, portPools } from "../../../orchestrator/render/drawn-ports.ts";

const RANGE = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

const DRAWS = fc.constantFrom<"random" | "sequential">("random", "sequential");

test("drawn ports are different ports of the range, as many as it has up to a limit, the same for the same seed", () => {
  fc.assert(
    fc.property(RANGE, fc.nat(), DRAWS, (range, seed, portAssignment) => {
      const pools = portPools({ ports: range, parity: "any", portAssignment, seed }, []);
      const ports = pools.flatMap((pool) => pool.ports);
      expect(pools.map(({ inside }) => inside)).toEqual(["any"]);
      expect(ports).toHaveLength(Math.min(range.last - range.first + 1, MOST_DRAWN_PORTS));
      expect(new Set(ports).size).toBe(ports.length);
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(range.first);
      expect(Math.max(...ports)).toBeLessThanOrEqual(range.last);
      expect(portPools({ ports: range, parity: "any", portAssignment, seed }, [])).toEqual(pools);
    }),
    { numRuns: 30 },
  );
});

test("where parity is preserved the same ports are drawn, the even ones for even ports and the odd ones for odd ports", () => {
  const twoOrMore = RANGE.filter(({ first, last }) => first < last);
  fc.assert(
    fc.property(twoOrMore, fc.nat(), DRAWS, (range, seed, portAssignment) => {
      const [even, odd] = portPools({ ports: range, parity: "preserve", portAssignment, seed }, []);
      if (even === undefined || odd === undefined) throw new Error("two pools");
      expect([even.inside, odd.inside]).toEqual(["even", "odd"]);
      expect([even, odd].every(({ ports }) => ports.length > 0)).toBe(true);
      expect(even.ports.every((port) => port % 2 === 0)).toBe(true);
      expect(odd.ports.every((port) => port % 2 === 1)).toBe(true);
      const [all] = portPools({ ports: range, parity: "any", portAssignment, seed }, []);
      expect(new Set([...even.ports, ...odd.ports])).toEqual(new Set(all?.ports));
    }),
    { numRuns: 30 },
  );
});

test("a port that is somebody's for good is not drawn", () => {
  const ports = { first: 5000, last: 5004 };
  const [pool] = portPools({ ports, parity: "any", portAssignment: "random", seed: 1 }, [5002, 4191]);
  expect(pool?.ports.toSorted((a, b) => a - b)).toEqual([5000, 5001, 5003, 5004]);
});

test("ports that are counted up begin at a seeded one and go on at the first of the range", () => {
  const ports = { first: 5000, last: 5004 };
  const counted = (seed: number) =>
    portPools({ ports, parity: "any", portAssignment: "sequential", seed }, []).flatMap((pool) => pool.ports);
  const [first = 0, ...others] = counted(1);
  expect(others).toEqual([1, 2, 3, 4].map((i) => 5000 + ((first - 5000 + i) % 5)));
  expect(new Set([1, 2, 3, 4, 5].map((seed) => counted(seed)[0])).size).toBeGreaterThan(1);
});
