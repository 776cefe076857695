import { describe, expect, test } from "vitest";
import type { IceMachine } from "../../../../agent/src/core/ice/ice-machine.ts";
import type { Refusal } from "../../../../agent/src/core/refusal.ts";
import { stunDatagram } from "../stun/received.ts";
import {
  agentL,
  answerOfR,
  checkOfR,
  defined,
  events,
  HOST_L,
  HOST_R,
  hex,
  LOCALS,
  MAPPED_R,
  REMOTE,
  sendsUntil,
  transmits,
} from "./hand-made-peer.ts";

const NAT: Refusal = { by: "198.51.100.1", reason: "administratively prohibited" };
const HOST: Refusal = { by: HOST_R.ip, reason: "port unreachable" };

/** Reports a refusal of what L sent to R's private address. */
function refuse(agent: IceMachine, refusal: Refusal): void {
  agent.handleRefusal({ local: HOST_L, remote: HOST_R, ...refusal });
}

/** An agent that has sent its first check, on its only pair: to R's private address. */
function withOnePair(): IceMachine {
  const agent = agentL({ candidates: LOCALS.slice(0, 1) });
  agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
  return agent;
}

describe("a check that ICMP refuses", () => {
  test("is told at once, with who refused it and why, and only once", () => {
    const agent = withOnePair();
    events(agent);
    refuse(agent, NAT);
    refuse(agent, HOST);
    expect(events(agent)).toMatchObject([
      { type: "check-refused", pair: { local: { address: HOST_L }, remote: { address: HOST_R } }, ...NAT },
    ]);
  });

  test("goes on as if nothing had come, and its failure says what did", () => {
    const agent = withOnePair();
    const [request] = transmits(agent);
    refuse(agent, NAT);
    const repeated = sendsUntil(agent, 7899);
    expect(repeated.map(({ at }) => at)).toEqual([100, 300, 700, 1500, 3100, 6300]);
    expect(new Set(repeated.map(({ transmit }) => hex(transmit.payload)))).toEqual(
      new Set([hex(defined(request).payload)]),
    );
    agent.handleTimeout(7900);
    expect(events(agent).slice(-2)).toMatchObject([
      { type: "check-failed", reason: "no answer; refused by 198.51.100.1: administratively prohibited" },
      { type: "failed", reason: "all-checks-failed" },
    ]);
  });

  test("succeeds when a later request is answered", () => {
    const agent = withOnePair();
    transmits(agent);
    refuse(agent, HOST);
    const [again] = sendsUntil(agent, 100);
    const payload = answerOfR(defined(again).transmit);
    agent.handleStun(120, stunDatagram({ local: HOST_L, remote: HOST_R, payload }));
    expect(agent.validPairs()).toHaveLength(1);
    expect(events(agent).filter(({ type }) => type === "check-failed")).toEqual([]);
  });

  test("leaves its pair to a check of the peer, whose triggered check is told of anew", () => {
    const agent = withOnePair();
    refuse(agent, HOST);
    agent.handleStun(50, stunDatagram({ local: HOST_L, remote: HOST_R, payload: checkOfR() }));
    refuse(agent, NAT);
    expect(events(agent).filter(({ type }) => type === "check-sent" || type === "check-refused")).toMatchObject([
      { type: "check-sent", kind: "ordinary" },
      { type: "check-refused", ...HOST },
      { type: "check-sent", kind: "triggered" },
      { type: "check-refused", ...NAT },
    ]);
  });
});

describe("word of a refusal changes nothing", () => {
  test.each([
    { what: "before the peer is known", agent: () => agentL(), local: HOST_L, remote: HOST_R },
    { what: "to an address that nothing was sent to", agent: withOnePair, local: HOST_L, remote: MAPPED_R },
    { what: "from a socket that sent nothing there", agent: withOnePair, local: MAPPED_R, remote: HOST_R },
  ])("$what", ({ agent: make, local, remote }) => {
    const agent = make();
    events(agent);
    agent.handleRefusal({ local, remote, ...NAT });
    expect(events(agent)).toEqual([]);
  });

  test("about a pair that is selected: consent decides there (RFC 7675)", () => {
    const agent = agentL({ candidates: LOCALS.slice(0, 1), limits: { consentIntervalMs: 5000 } });
    agent.setRemote(0, { ...REMOTE, candidates: REMOTE.candidates.slice(0, 1) });
    answerAll(agent, 10);
    for (const { transmit } of sendsUntil(agent, 40)) answer(agent, 45, transmit.payload);
    expect(agent.state).toBe("completed");
    sendsUntil(agent, 6100);
    events(agent);
    refuse(agent, HOST);
    expect(events(agent)).toEqual([]);
    expect(agent.selectedPair()).toBeDefined();
  });
});

function answerAll(agent: IceMachine, at: number): void {
  for (const { payload } of transmits(agent)) answer(agent, at, payload);
}

function answer(agent: IceMachine, at: number, request: Uint8Array): void {
  const payload = answerOfR({ local: HOST_L, remote: HOST_R, payload: request }, { mapped: HOST_L });
  agent.handleStun(at, stunDatagram({ local: HOST_L, remote: HOST_R, payload }));
}
