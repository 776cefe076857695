import fc from "fast-check";
import { expect, test } from "vitest";
import { MOST_DRAWN_PORTS, portPools } from "../../../orchestrator/render/drawn-ports.ts";

const RANGE = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

test("drawn ports are different ports of the range, as many as it has up to a limit, the same for the same seed", () => {
  fc.assert(
    fc.property(RANGE, fc.nat(), (range, seed) => {
      const pools = portPools({ ports: range, parity: "any", seed }, []);
      const ports = pools.flatMap((pool) => pool.ports);
      expect(pools.map(({ inside }) => inside)).toEqual(["any"]);
      expect(ports).toHaveLength(Math.min(range.last - range.first + 1, MOST_DRAWN_PORTS));
      expect(new Set(ports).size).toBe(ports.length);
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(range.first);
      expect(Math.max(...ports)).toBeLessThanOrEqual(range.last);
      expect(portPools({ ports: range, parity: "any", seed }, [])).toEqual(pools);
    }),
    { numRuns: 30 },
  );
});

test("where parity is preserved the same ports are drawn, the even ones for even ports and the odd ones for odd ports", () => {
  const twoOrMore = RANGE.filter(({ first, last }) => first < last);
  fc.assert(
    fc.property(twoOrMore, fc.nat(), (range, seed) => {
      const [even, odd] = portPools({ ports: range, parity: "preserve", seed }, []);
      if (even === undefined || odd === undefined) throw new Error("two pools");
      expect([even.inside, odd.inside]).toEqual(["even", "odd"]);
      expect([even, odd].every(({ ports }) => ports.length > 0)).toBe(true);
      expect(even.ports.every((port) => port % 2 === 0)).toBe(true);
      expect(odd.ports.every((port) => port % 2 === 1)).toBe(true);
      const [all] = portPools({ ports: range, parity: "any", seed }, []);
      expect(new Set([...even.ports, ...odd.ports])).toEqual(new Set(all?.ports));
    }),
    { numRuns: 30 },
  );
});

test("a port that is somebody's for good is not drawn", () => {
  const ports = { first: 5000, last: 5004 };
  const [pool] = portPools({ ports, parity: "any", seed: 1 }, [5002, 4191]);
  expect(pool?.ports.toSorted((a, b) => a - b)).toEqual([5000, 5001, 5003, 5004]);
});
