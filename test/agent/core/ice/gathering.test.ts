import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import { hostCandidate, relayedCandidate, serverReflexiveCandidate } from "../../../../agent/src/core/ice/candidate.ts";
import { createGathering, type Gathering, type GatheringConfig } from "../../../../agent/src/core/ice/gathering.ts";
import { createPacer } from "../../../../agent/src/core/ice/pacer.ts";
import type { InstantMs, Transmit } from "../../../../agent/src/core/machine.ts";
import type { StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import type { StunClass } from "../../../../agent/src/core/stun/header.ts";
import { encodeStun } from "../../../../agent/src/core/stun/message.ts";
import { decodableStun, stunDatagram } from "../stun/received.ts";
import {
  decode,
  defined,
  errorAttribute,
  HOME_L,
  HOST_L,
  hex,
  MAPPED_L,
  scriptedRng,
  seededRng,
} from "./hand-made-peer.ts";

const SERVER = { ip: "192.0.2.1", port: 3478 };
const SECOND_SERVER = { ip: "192.0.2.2", port: 3478 };
const SERVER_6 = { ip: "2001:db8:a::1", port: 3478 };
const BASE_2 = { ip: "10.2.0.5", port: 40001 };
const BASE_6 = { ip: "2001:db8:c::5", port: 40001 };
const RELAYED = relayedCandidate(HOME_L, MAPPED_L);

describe("asking", () => {
  test("a Binding request with FINGERPRINT and nothing else", () => {
    const gathering = start({ rng: scriptedRng("000102030405060708090a0b") });
    const [request] = transmits(gathering);
    expect(request).toMatchObject({ local: HOST_L, remote: SERVER });
    expect(hex(request?.payload)).toBe("000100082112a442000102030405060708090a0b802800045b0ff6fc");
  });

  test.each([
    { profile: "ice16" as const, at: [0, 20, 40, 60] },
    { profile: "rfc8445" as const, at: [0, 50, 100, 150] },
  ])("$profile: one request per Ta, from every socket to every server of its IP version", ({ profile, at }) => {
    const gathering = start({ profile, bases: [HOST_L, BASE_6, BASE_2], servers: [SERVER, SERVER_6, SECOND_SERVER] });
    const first = transmits(gathering).map((transmit) => ({ at: 0, transmit }));
    const sends = [...first, ...sendsUntil(gathering, defined(at.at(-1)))];
    expect(sends.map((send) => send.at)).toEqual(at);
    expect(sends.map(({ transmit }) => [transmit.local, transmit.remote])).toEqual([
      [HOST_L, SERVER],
      [HOST_L, SECOND_SERVER],
      [BASE_6, SERVER_6],
      [BASE_2, SERVER],
    ]);
  });

  test("a socket on a segment without a router asks only servers that are on it", () => {
    const bridge = { ip: "10.99.0.2", port: 40001, prefixLength: 24, hasRouter: false };
    const near = { ip: "10.99.0.9", port: 3478 };
    const gathering = start({ bases: [bridge], servers: [SERVER, near] });
    const sends = [...transmits(gathering), ...sendsUntil(gathering, 90).map(({ transmit }) => transmit)];
    expect(sends.map(({ remote }) => remote)).toEqual([near]);
    expect(start({ bases: [bridge], servers: [SERVER] }).isDone).toBe(true);
  });

  test.each([
    { profile: "ice16" as const, expected: [100, 300, 700, 1500, 3100, 6300] },
    { profile: "rfc8445" as const, expected: [500, 1500, 3500, 7500, 15_500, 31_500] },
  ])("$profile: a silent server is asked seven times", ({ profile, expected }) => {
    const gathering = start({ profile });
    transmits(gathering);
    const last = defined(expected.at(-1));
    expect(sendsUntil(gathering, last).map(({ at }) => at)).toEqual(expected);
    sendsUntil(gathering, last * 1.3);
    expect(events(gathering).at(-1)).toEqual({
      type: "server-failed",
      base: HOST_L,
      server: SERVER,
      reason: "no answer",
    });
  });

  test("many questions stretch the RTO by one Ta each", () => {
    const servers = Array.from({ length: 8 }, (_, i) => ({ ip: `192.0.2.${i + 1}`, port: 3478 }));
    const gathering = start({ servers });
    const [first] = transmits(gathering);
    const repetition = sendsUntil(gathering, 300).find(({ transmit }) => transmit === first);
    expect(repetition?.at).toBe(160);
  });

  test("nothing happens before the start", () => {
    const gathering = createGathering(config());
    gathering.handleTimeout(0);
    expect([gathering.pollTimeout(), transmits(gathering), events(gathering)]).toEqual([undefined, [], []]);
  });
});

describe("candidates", () => {
  test("host and relayed are known at once, the reflexive one with the answer; then it is done", () => {
    const gathering = start({ relayed: RELAYED });
    expect(events(gathering)).toEqual([
      { type: "candidate", candidate: hostCandidate(HOST_L) },
      { type: "candidate", candidate: RELAYED },
    ]);
    answer(gathering, 5, defined(transmits(gathering)[0]), MAPPED_L);
    const reflexive = serverReflexiveCandidate(MAPPED_L, HOST_L);
    expect(events(gathering)).toEqual([
      { type: "candidate", candidate: reflexive },
      { type: "done", candidates: [hostCandidate(HOST_L), reflexive, RELAYED] },
    ]);
    expect(gathering.isDone).toBe(true);
  });

  test("without a NAT the mapped address is the socket itself, and no second candidate", () => {
    const gathering = start();
    answer(gathering, 5, defined(transmits(gathering)[0]), HOST_L);
    expect(gathering.candidates()).toEqual([hostCandidate(HOST_L)]);
    expect(events(gathering).map(({ type }) => type)).toEqual(["candidate", "done"]);
  });

  test("two servers that see one mapping give one candidate; two mappings give two with different priorities", () => {
    const other = { ...MAPPED_L, port: 61_002 };
    const same = askedTwice(MAPPED_L, MAPPED_L);
    const different = askedTwice(MAPPED_L, other);
    expect(same.map(({ type }) => type)).toEqual(["host", "server-reflexive"]);
    expect(different.map(({ address, priority }) => [address, priority])).toEqual([
      [HOST_L, 0x7effffff],
      [MAPPED_L, 0x64ffffff],
      [other, 0x64fffeff],
    ]);
  });

  test.each(["127.0.0.1", "::1", "169.254.7.7", "fe80::5", "0.0.0.0", "224.0.0.5"])(
    "%s is no candidate and asks nobody",
    (ip) => {
      const gathering = start({ bases: [{ ip, port: 40001 }, HOST_L], servers: [SERVER, SERVER_6] });
      expect(gathering.candidates().map(({ address }) => address)).toEqual([HOST_L]);
      const sends = [...transmits(gathering), ...sendsUntil(gathering, 90).map(({ transmit }) => transmit)];
      expect(sends.map(({ local }) => local)).toEqual([HOST_L]);
    },
  );

  test("without servers it is done at once", () => {
    const gathering = start({ servers: [] });
    expect(gathering.isDone).toBe(true);
    expect(gathering.pollTimeout()).toBeUndefined();
  });

  test("a second socket ranks below the first", () => {
    const gathering = start({ bases: [HOST_L, BASE_2], servers: [] });
    expect(gathering.candidates().map(({ address, priority }) => [address, priority])).toEqual([
      [HOST_L, 0x7effffff],
      [BASE_2, 0x7efffeff],
    ]);
  });

  test("the timeout is for servers: none of it goes by while the node has others to ask first", () => {
    const pacer = createPacer();
    const rival = pacer.turns();
    expect([rival.take(-1), rival.take(0)]).toEqual([true, false]);
    const gathering = start({ pacer });
    gathering.handleTimeout(4000);
    expect([transmits(gathering), gathering.isDone]).toEqual([[], false]);
    rival.cancel();
    gathering.handleTimeout(4000);
    expect(transmits(gathering)).toHaveLength(1);
    sendsUntil(gathering, 5499);
    expect(gathering.isDone).toBe(false);
    sendsUntil(gathering, 5500);
    expect(gathering.isDone).toBe(true);
  });

  test("the timeout is 1.5 s; a late answer still gives its candidate", () => {
    const gathering = start();
    const [request] = transmits(gathering);
    events(gathering);
    sendsUntil(gathering, 1499);
    expect(gathering.isDone).toBe(false);
    sendsUntil(gathering, 1500);
    expect(events(gathering)).toEqual([{ type: "done", candidates: [hostCandidate(HOST_L)] }]);
    answer(gathering, 1600, defined(request), MAPPED_L);
    expect(events(gathering)).toEqual([{ type: "candidate", candidate: serverReflexiveCandidate(MAPPED_L, HOST_L) }]);
  });
});

describe("answers", () => {
  test.each<{ name: string; reason: string; class: StunClass; attributes: StunAttribute[] }>([
    { name: "an error", reason: "answered 500", class: "error", attributes: [errorAttribute(500)] },
    { name: "no mapped address", reason: "answered without a mapped address", class: "success", attributes: [] },
    {
      name: "an unknown required attribute",
      reason: "answered with an unknown required attribute",
      class: "success",
      attributes: [
        { type: "xor-mapped-address", value: MAPPED_L },
        { type: "unknown", number: 0x7002, value: new Uint8Array(4) },
      ],
    },
  ])("$name: the server has failed, gathering ends without it", ({ reason, class: messageClass, attributes }) => {
    const gathering = start();
    const [request] = transmits(gathering);
    events(gathering);
    const { transactionId } = decode(defined(request).payload);
    const payload = encodeStun({ class: messageClass, method: 1, transactionId, attributes }, { fingerprint: true });
    gathering.handleStun(5, stunDatagram({ local: HOST_L, remote: SERVER, payload }));
    expect(events(gathering)).toMatchObject([{ type: "server-failed", reason }, { type: "done" }]);
  });

  test("S10: an answer with a guessed transaction ID, or from elsewhere, is ignored", () => {
    const gathering = start();
    const request = defined(transmits(gathering)[0]);
    events(gathering);
    answer(gathering, 1, { ...request, payload: request.payload.with(8, 0xff) }, MAPPED_L);
    answer(gathering, 2, { ...request, remote: SECOND_SERVER }, MAPPED_L);
    answer(gathering, 3, { ...request, local: BASE_2 }, MAPPED_L);
    expect([events(gathering), gathering.isDone]).toEqual([[], false]);
    expect(gathering.ownsTransaction(decode(request.payload).transactionId)).toBe(true);
    answer(gathering, 4, request, MAPPED_L);
    expect(gathering.isDone).toBe(true);
    expect(gathering.ownsTransaction(decode(request.payload).transactionId)).toBe(false);
  });

  test("no bytes make it throw", () => {
    const gathering = start();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => {
        const datagram = decodableStun({ local: HOST_L, remote: SERVER, payload });
        if (datagram !== undefined) gathering.handleStun(1, datagram);
      }),
    );
  });
});

describe("keeping mappings alive", () => {
  test("the server is asked again every 15 s until gathering is stopped", () => {
    const gathering = start();
    answer(gathering, 5, defined(transmits(gathering)[0]), MAPPED_L);
    for (const at of [15_005, 30_010, 45_015]) {
      const [refresh, ...more] = sendsUntil(gathering, at);
      expect([refresh?.at, more]).toEqual([at, []]);
      answer(gathering, at + 5, defined(refresh).transmit, MAPPED_L);
    }
    events(gathering);
    gathering.stop();
    expect([gathering.pollTimeout(), gathering.isDone]).toEqual([undefined, true]);
    expect(sendsUntil(gathering, 1e6)).toEqual([]);
    expect(gathering.candidates()).toHaveLength(2);
  });

  test("another mapped address is told, and replaces the old candidate", () => {
    const gathering = start();
    answer(gathering, 5, defined(transmits(gathering)[0]), MAPPED_L);
    const [refresh] = sendsUntil(gathering, 15_005);
    events(gathering);
    const moved = { ...MAPPED_L, port: 50_000 };
    answer(gathering, 15_010, defined(refresh).transmit, moved);
    const [before, after] = [MAPPED_L, moved].map((mapped) => serverReflexiveCandidate(mapped, HOST_L));
    expect(events(gathering)).toEqual([
      { type: "mapping-changed", before, after },
      { type: "candidate", candidate: after },
    ]);
    expect(gathering.candidates()).toEqual([hostCandidate(HOST_L), after]);
  });

  test("an unanswered refresh keeps the candidate and is tried again", () => {
    const gathering = start();
    answer(gathering, 5, defined(transmits(gathering)[0]), MAPPED_L);
    expect(sendsUntil(gathering, 37_905)).toHaveLength(8);
    expect(gathering.candidates()).toHaveLength(2);
  });
});

test("one seed gives the same octets; the start may be any instant", () => {
  const run = (startAt: InstantMs): string[] => {
    const gathering = createGathering(config({ rng: seededRng(4) }));
    gathering.start(startAt);
    const first = transmits(gathering);
    return [...first, ...sendsUntil(gathering, startAt + 8000).map(({ transmit }) => transmit)].map(({ payload }) =>
      hex(payload),
    );
  };
  expect(run(0)).toEqual(run(-1e6 - 0.3));
});

function config(overrides: Partial<GatheringConfig> = {}): GatheringConfig {
  return { profile: "ice16", bases: [HOST_L], servers: [SERVER], rng: seededRng(1), ...overrides };
}

function start(overrides: Partial<GatheringConfig> = {}): Gathering {
  const gathering = createGathering(config(overrides));
  gathering.start(0);
  return gathering;
}

function askedTwice(first: SocketAddress, second: SocketAddress) {
  const gathering = start({ servers: [SERVER, SECOND_SERVER] });
  answer(gathering, 5, defined(transmits(gathering)[0]), first);
  answer(gathering, 25, defined(sendsUntil(gathering, 20)[0]).transmit, second);
  return gathering.candidates();
}

function answer(gathering: Gathering, now: InstantMs, request: Transmit, mapped: SocketAddress): void {
  const { transactionId } = decode(request.payload);
  const attributes: StunAttribute[] = [{ type: "xor-mapped-address", value: mapped }];
  const payload = encodeStun({ class: "success", method: 1, transactionId, attributes }, { fingerprint: true });
  gathering.handleStun(now, stunDatagram({ local: request.local, remote: request.remote, payload }));
}

function transmits(gathering: Gathering): Transmit[] {
  const all: Transmit[] = [];
  for (let item = gathering.pollTransmit(); item !== undefined; item = gathering.pollTransmit()) all.push(item);
  return all;
}

function events(gathering: Gathering) {
  const all = [];
  for (let item = gathering.pollEvent(); item !== undefined; item = gathering.pollEvent()) all.push(item);
  return all;
}

function sendsUntil(gathering: Gathering, until: InstantMs): { at: InstantMs; transmit: Transmit }[] {
  const sends: { at: InstantMs; transmit: Transmit }[] = [];
  for (let steps = 0; steps < 10_000; steps++) {
    const at = gathering.pollTimeout();
    if (at === undefined || at > until) return sends;
    gathering.handleTimeout(at);
    sends.push(...transmits(gathering).map((transmit) => ({ at, transmit })));
  }
  throw new Error("gathering asks for time-outs without end");
}
