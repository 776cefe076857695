import { beforeEach, describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../../agent/src/core/address.ts";
import { createPacer } from "../../../../../agent/src/core/ice/pacer.ts";
import type { InstantMs, Transmit } from "../../../../../agent/src/core/machine.ts";
import {
  createGatheringPool,
  type GatheringPool,
} from "../../../../../agent/src/core/mice/gathering/gathering-pool.ts";
import { createOutbox, type Outbox } from "../../../../../agent/src/core/node/outbox.ts";
import { decodeStun, encodeStun } from "../../../../../agent/src/core/stun/message.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";
import { stunDatagram } from "../../stun/received.ts";

const HOST = { ip: "10.1.0.5", port: 40001 };
const MOVED = { ip: "10.9.0.7", port: 40001 };
const MAPPED = { ip: "198.51.100.10", port: 61001 };
const REMAPPED = { ip: "198.51.100.10", port: 61002 };
const SERVER = { ip: "198.51.100.1", port: 3478 };
const OF_ONE = ["host", "server-reflexive", "relayed"];

let sockets: readonly SocketAddress[];
let outbox: Outbox;
let pool: GatheringPool;
/** What was reported to the sessions, in order. */
let told: { readonly at: InstantMs; readonly peer: string; readonly news: readonly string[] | "mapping-changed" }[];

beforeEach(() => {
  sockets = [HOST];
  told = [];
  outbox = createOutbox();
  pool = createGatheringPool(
    {
      profile: "ice16",
      rng: seededRng(1),
      pacer: createPacer(),
      servers: [SERVER],
      homeAddress: "2001:db8:a::100",
      sockets: () => sockets,
      tunnelSocket: () => sockets[0],
    },
    outbox,
  );
});

describe("sessions that begin together", () => {
  test("ask a server once, and each is told of every candidate and of the end", () => {
    begin(0, "first");
    begin(0, "second");
    const requests = transmits(0);
    expect(requests).toHaveLength(1);
    answer(30, requests, MAPPED);
    expect(told).toEqual([
      { at: 30, peer: "first", news: OF_ONE },
      { at: 30, peer: "second", news: OF_ONE },
    ]);
    const reported = events().filter(({ type }) => type === "candidate" || type === "gathering-done");
    for (const peer of ["first", "second"]) {
      expect(reported.filter((event) => "peer" in event && event.peer === peer).map(({ type }) => type)).toEqual([
        "candidate",
        "candidate",
        "candidate",
        "gathering-done",
      ]);
    }
  });

  test("one that begins within a second has what the others heard at once, and is told so in the next advance", () => {
    begin(0, "first");
    answer(30, transmits(0), MAPPED);
    begin(999, "second");
    expect(told.map(({ peer }) => peer)).toEqual(["first"]);
    expect(transmits(999)).toEqual([]);
    expect(told.at(-1)).toEqual({ at: 999, peer: "second", news: OF_ONE });
  });

  test("one that begins after a second asks anew: a middlebox may have changed its mind since", () => {
    begin(0, "first");
    answer(30, transmits(0), MAPPED);
    begin(1000, "second");
    const requests = transmits(1000);
    expect(requests).toHaveLength(1);
    answer(1030, requests, REMAPPED);
    expect(told.at(-1)).toEqual({ at: 1030, peer: "second", news: OF_ONE });
  });

  test("one that begins after a move asks anew, however soon", () => {
    begin(0, "first");
    answer(30, transmits(0), MAPPED);
    sockets = [MOVED];
    begin(50, "second");
    expect(transmits(50)).toMatchObject([{ local: MOVED, remote: SERVER }]);
  });

  test("a mapping is refreshed until the last of them needs it no more", () => {
    const endFirst = begin(0, "first");
    const endSecond = begin(0, "second");
    answer(30, transmits(0), MAPPED);
    endFirst();
    expect(pool.pollTimeout()).toBe(15_030);
    pool.handleTimeout(15_030);
    const refreshes = transmits(15_030);
    expect(refreshes).toHaveLength(1);
    endSecond();
    expect(pool.pollTimeout()).toBeUndefined();
  });

  test("a mapping that changes is told to all who still need it, and to nobody else", () => {
    begin(0, "first");
    const endSecond = begin(0, "second");
    begin(0, "third");
    answer(30, transmits(0), MAPPED);
    endSecond();
    pool.handleTimeout(15_030);
    answer(15_060, transmits(15_030), REMAPPED);
    expect(told.slice(3)).toEqual([
      { at: 15_060, peer: "first", news: "mapping-changed" },
      { at: 15_060, peer: "third", news: "mapping-changed" },
    ]);
  });

  test("a candidate that comes after timeout ran out is late for all who have been told of the end", () => {
    begin(0, "first");
    begin(0, "second");
    const requests = transmits(0);
    let at = 0;
    while (told.length === 0) {
      at = pool.pollTimeout() ?? Number.NaN;
      pool.handleTimeout(at);
      requests.push(...transmits(at));
    }
    const news = ["host", "relayed"];
    expect(told).toEqual([
      { at, peer: "first", news },
      { at, peer: "second", news },
    ]);
    answer(at + 1, requests, MAPPED);
    expect(outbox.counters()).toMatchObject({ "gathering.late-candidate": 2 });
    expect(told).toHaveLength(2);
  });
});

function begin(now: InstantMs, peer: string): () => void {
  return pool.gather(now, peer, {
    done(at, candidates) {
      told.push({ at, peer, news: candidates.map(({ type }) => type) });
    },
    mappingChanged(at) {
      told.push({ at, peer, news: "mapping-changed" });
    },
  });
}

/** Advances, and returns what has been sent by then. */
function transmits(now: InstantMs): Transmit[] {
  pool.advance(now);
  const all: Transmit[] = [];
  for (let item = outbox.pollTransmit(); item !== undefined; item = outbox.pollTransmit()) all.push(item);
  return all;
}

function events() {
  const all = [];
  for (let item = outbox.pollEvent(); item !== undefined; item = outbox.pollEvent()) all.push(item);
  return all;
}

/** Answers the first of these requests that is still open. */
function answer(now: InstantMs, requests: readonly Transmit[], mapped: SocketAddress): void {
  const [request] = requests;
  const decoded = request && decodeStun(request.payload);
  if (request === undefined || decoded?.ok !== true) throw new Error("nothing was asked");
  const { transactionId } = decoded.value;
  const payload = encodeStun(
    { class: "success", method: 1, transactionId, attributes: [{ type: "xor-mapped-address", value: mapped }] },
    { fingerprint: true },
  );
  for (const gathering of pool.all()) {
    if (gathering.ownsTransaction(transactionId)) {
      gathering.handleStun(now, stunDatagram({ local: request.local, remote: request.remote, payload }));
    }
  }
  pool.advance(now);
}
