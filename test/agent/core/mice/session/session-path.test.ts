import { expect, test } from "vitest";
import { hostCandidate } from "../../../../../agent/src/core/ice/candidate.ts";
import type { ValidPair } from "../../../../../agent/src/core/ice/ice-machine.ts";
import { createSessionPath } from "../../../../../agent/src/core/mice/session/session-path.ts";
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

test("the end of a binding takes away only the way that rests on it", () => {
  const { session, reported } = path();
  session.takeDirect(0, pairTo(FIRST), "inbound");
  session.release(1, "outbound");
  expect(session.route?.remote).toEqual(FIRST);
  session.release(2, "inbound");
  expect(session.route).toBeUndefined();
  expect(reported()).toEqual(["direct 198.18.0.20", "home-agents -"]);
});
