import fc from "fast-check";
import { expect, test } from "vitest";
import { drawnPorts, MOST_DRAWN_PORTS } from "../../../orchestrator/render/drawn-ports.ts";

test("drawn ports are different ports of the range, as many as it has up to a limit, the same for the same seed", () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
    .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
  fc.assert(
    fc.property(range, fc.nat(), ({ first, last }, seed) => {
      const ports = drawnPorts({ first, last }, seed);
      expect(ports).toHaveLength(Math.min(last - first + 1, MOST_DRAWN_PORTS));
      expect(new Set(ports).size).toBe(ports.length);
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(first);
      expect(Math.max(...ports)).toBeLessThanOrEqual(last);
      expect(drawnPorts({ first, last }, seed)).toEqual(ports);
    }),
    { numRuns: 30 },
  );
});
