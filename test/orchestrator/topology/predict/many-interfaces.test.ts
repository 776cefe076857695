import { expect, test } from "vitest";
import { type Prediction, predictSession } from "../../../../orchestrator/topology/predict/predict.ts";
import { HOME_AGENTS, resolved, topologyText } from "../sample.ts";

/**
 * Two nodes with so many segments each. Behind the router of a segment is a NAT that can be met, or a symmetric one, or
 * there is no router.
 */
function manySegments(count: number, nat: (side: "a" | "b", index: number) => string | undefined): string {
  const indices = Array.from({ length: count }, (_, i) => i);
  const sides = ["a", "b"] as const;
  const each = (make: (side: "a" | "b", index: number) => string): string =>
    sides
      .flatMap((side) => indices.map((i) => make(side, i)))
      .filter((text) => text !== "")
      .join(", ");
  const on = (side: string): string => indices.map((i) => `${side}${i}`).join(", ");
  return topologyText({
    segments: each((side, i) => `${side}${i}: { ipv4: 10.${side === "a" ? 1 : 2}.${i}.0/24 }`),
    nodes: `${HOME_AGENTS},
      ${each((side, i) => {
        const preset = nat(side, i);
        const name = `nat-${side}${i}`;
        return preset ? `${name}: { role: router, wan: internet, lan: ${side}${i}, nat: ${preset} }` : "";
      })},
      mn: { role: mobile-node, on: [${on("a")}], homeAgent: ha-a },
      cn: { role: correspondent-node, on: [${on("b")}], homeAgent: ha-b }`,
    rest: "sessions: [{ from: mn, to: cn }]",
  });
}

function predict(text: string): Prediction {
  const topology = resolved(text);
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session);
}

const LEFT_OUT = /leaves \d+ out/;

test("sixteen bridges at both ends are in nobody's way", () => {
  const { path, selected, why } = predict(manySegments(17, (_, i) => (i === 16 ? "port-restricted-cone" : undefined)));
  expect([path, selected]).toEqual(["direct", ["server-reflexive", "server-reflexive"]]);
  expect(why.filter((line) => LEFT_OUT.test(line))).toEqual([]);
});

test("nor are sixteen networks behind NATs that no check passes: one pair of each interface is checked", () => {
  const { path, selected } = predict(manySegments(17, (_, i) => (i === 16 ? "port-restricted-cone" : "symmetric")));
  expect([path, selected]).toEqual(["direct", ["server-reflexive", "server-reflexive"]]);
});

test("a pair for which the check list has no room is not predicted, and the reason says how many there are", () => {
  const isOpen = (side: "a" | "b", i: number): boolean => i === (side === "a" ? 0 : 11);
  const { path, why } = predict(
    manySegments(12, (side, i) => (isOpen(side, i) ? "port-restricted-cone" : "symmetric")),
  );
  expect(path).toBe("home-agents");
  expect(why.filter((line) => LEFT_OUT.test(line))).toEqual([
    "mn checks 100 pairs and leaves 189 out.",
    "cn checks 100 pairs and leaves 189 out.",
  ]);
});
