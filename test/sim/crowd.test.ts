import { describe, expect, test } from "vitest";
import { type Crowd, createCrowd, createNumberedFlow, type End, eventsOf } from "../../agent/src/testing/index.ts";
import { CONNECT_AT, offer } from "./scenario.ts";

const MANY = 50;
const ACCESS = { delayMs: 10 };

describe.each([
  { name: "one mobile node with fifty correspondents", a: 1, b: MANY },
  { name: "fifty mobile nodes with one correspondent", a: MANY, b: 1 },
])("$name, all at once", ({ a, b }) => {
  test("has a direct path in every session within four seconds, and data of each on its own", () => {
    const crowd = meet(createCrowd({ a, b, access: ACCESS }));
    crowd.net.time.runUntil(CONNECT_AT + 4000);
    expect(pairsOf(crowd).map(([from, to]) => [pathBetween(from, to), pathBetween(to, from)])).toEqual(
      pairsOf(crowd).map(() => ["direct", "direct"]),
    );
    const flows = pairsOf(crowd).flatMap(([from, to]) => [createNumberedFlow(from, to), createNumberedFlow(to, from)]);
    for (const flow of flows) flow.sendEvery(10, 50);
    crowd.net.time.runUntil(crowd.net.time.now + 1000);
    expect(flows.map((flow) => flow.arrivals())).toEqual(flows.map(() => [0, 1, 2, 3, 4]));
  });

  test("loses one session without the others noticing", () => {
    const crowd = meet(createCrowd({ a, b, access: ACCESS }));
    crowd.net.time.runUntil(CONNECT_AT + 4000);
    const [lost] = pairsOf(crowd);
    const victim = a === 1 ? lost?.[1] : lost?.[0];
    const natName = `nat-${a === 1 ? "b1" : "a1"}`;
    crowd.net.intercept(({ from }) => from !== natName);
    crowd.net.time.runUntil(crowd.net.time.now + 60_000);
    const one = a === 1 ? crowd.a[0] : crowd.b[0];
    const dead = eventsOf(one ?? never(), "pair-dead").map(({ event }) => event.peer);
    expect(new Set(dead)).toEqual(new Set([victim?.homeAddress]));
    const others = (a === 1 ? crowd.b : crowd.a).slice(1);
    expect(others.flatMap((end) => eventsOf(end, "pair-dead"))).toEqual([]);
    expect(others.flatMap((end) => eventsOf(end, "offer-sent").slice(1))).toEqual([]);
  });
});

/** Every node of one home network offers to every one of the other at the same instant. */
function meet(crowd: Crowd): Crowd {
  crowd.net.time.runUntil(CONNECT_AT);
  for (const [from, to] of pairsOf(crowd)) offer(from, to);
  return crowd;
}

function pairsOf({ a, b }: Crowd): readonly (readonly [End, End])[] {
  return a.flatMap((from) => b.map((to) => [from, to] as const));
}

/** The path that an end reports for its data to another one. */
function pathBetween(from: End, to: End): string | undefined {
  return eventsOf(from, "path").findLast(({ event }) => event.peer === to.homeAddress)?.event.path;
}

function never(): never {
  throw new Error("a crowd has nodes");
}
