import { expect, test } from "vitest";
import { hostCandidate } from "../../../../../agent/src/core/ice/candidate.ts";
import type { ValidPair } from "../../../../../agent/src/core/ice/ice-machine.ts";
import { createSessionPath, type SessionPath } from "../../../../../agent/src/core/mice/session/session-path.ts";
import { createOutbox } from "../../../../../agent/src/core/node/outbox.ts";

const LOCAL = { ip: "192.168.1.2", port: 40_001 };
const FIRST = { ip: "198.18.0.20", port: 40_001 };
const SECOND = { ip: "198.18.0.30", port: 40_001 };

function pairTo(address: typeof FIRST): ValidPair {
  const remote = { type: "host", address, priority: 1 } as const;
  return { local: hostCandidate(LOCAL), remote, priority: 1n, isNominated: true, rttMs: 1 };
}

function path() {
  const outbox = createOutbox();
  const session = createSessionPath("2001:db8:b::200", outbox);
  const reported = (): string[] => {
    const paths: string[] = [];
    for (let event = outbox.pollEvent(); event !== undefined; event = outbox.pollEvent())
      if (event.type === "path") paths.push(`${event.path} ${event.pair?.remote.address.ip ?? "-"}`);
    return paths;
  };
  return { session, reported };
}

test("every change is reported once", () => {
  const { session, reported } = path();
  session.takeHome(0);
  session.takeHome(1);
  session.takeDirect(2, pairTo(FIRST), "outbound");
  session.takeDirect(3, pairTo(FIRST), "outbound");
  session.takeDirect(4, pairTo(SECOND), "outbound");
  expect(reported()).toEqual(["home-agents -", "direct 198.18.0.20", "direct 198.18.0.30"]);
});

test("data is taken from the way in use, and for three seconds from the one before", () => {
  const { session } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.takeDirect(1000, pairTo(SECOND), "inbound");
  expect(session.accepts(1000, LOCAL, SECOND)).toBe(true);
  expect(session.accepts(3999, LOCAL, FIRST)).toBe(true);
  expect(session.accepts(4000, LOCAL, FIRST)).toBe(false);
  expect(session.accepts(1000, { ...LOCAL, port: 1 }, SECOND)).toBe(false);
});

test("data is taken for six seconds from a dead way: the peer notices that much later", () => {
  const { session, reported } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.takeHomeFromDead(1000);
  expect(session.accepts(6999, LOCAL, FIRST)).toBe(true);
  expect(session.accepts(7000, LOCAL, FIRST)).toBe(false);
  expect(reported()).toEqual(["direct 198.18.0.20", "home-agents -"]);
});

test("a way in doubt is taken again when it has answered, and data from it is taken meanwhile", () => {
  const { session, reported } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.doubt(1000);
  expect([session.route, session.isDirect]).toEqual([undefined, true]);
  expect(session.accepts(9000, LOCAL, FIRST)).toBe(true);
  session.trust(9000);
  session.trust(9001);
  expect(session.route?.remote).toEqual(FIRST);
  expect(reported()).toEqual(["direct 198.18.0.20", "home-agents -", "direct 198.18.0.20"]);
});

test.each([
  { name: "the end of its binding", change: (session: SessionPath) => session.release(2000, "inbound") },
  { name: "the choice of the home agents' way", change: (session: SessionPath) => session.takeHome(2000) },
  { name: "death", change: (session: SessionPath) => session.takeHomeFromDead(2000) },
])("a way in doubt is not taken again after $name", ({ change }) => {
  const { session } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.doubt(1000);
  change(session);
  session.trust(3000);
  expect([session.route, session.isDirect]).toEqual([undefined, false]);
});

test("a way in doubt is not taken again where there is another one", () => {
  const { session } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.doubt(1000);
  session.takeDirect(2000, pairTo(SECOND), "outbound");
  session.trust(3000);
  expect(session.route?.remote).toEqual(SECOND);
});

test("the end of a binding takes away only the way that rests on it", () => {
  const { session, reported } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.release(1, "outbound");
  expect(session.route?.remote).toEqual(FIRST);
  session.release(2, "inbound");
  expect(session.route).toBeUndefined();
  expect(reported()).toEqual(["direct 198.18.0.20", "home-agents -"]);
});
