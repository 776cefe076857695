import { beforeEach, describe, expect, test } from "vitest";
import { createPacer } from "../../../../../agent/src/core/ice/pacer.ts";
import type { InstantMs, Transmit } from "../../../../../agent/src/core/machine.ts";
import type { TunnelWay } from "../../../../../agent/src/core/mice/home/reverse-tunnel.ts";
import { type TunnelNews, TunnelWatch } from "../../../../../agent/src/core/mice/home/tunnel-watch.ts";
import { decodeStun, encodeStun } from "../../../../../agent/src/core/stun/message.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";
import { stunDatagram } from "../../stun/received.ts";

const HA = { ip: "198.18.0.2", port: 4191 };
const WLAN: TunnelWay = { local: { ip: "192.168.1.2", port: 40_001 }, remote: HA };
const LTE: TunnelWay = { local: { ip: "10.0.0.2", port: 40_001 }, remote: HA };
const MAPPED = { ip: "198.18.0.10", port: 61_001 };
const REMAPPED = { ip: "198.18.0.10", port: 61_002 };

let watch: TunnelWatch;
let updateAt: InstantMs | undefined;
/** Local addresses of the questions, and when they were sent. */
let asked: { readonly at: InstantMs; readonly from: string; readonly transmit: Transmit }[];
/** Which ways answer, from which mapping. */
let answers: (from: string, at: InstantMs) => typeof MAPPED | undefined;
/** Questions whose answers were considered. */
const isAnswered = new WeakSet<Transmit>();
let news: { readonly at: InstantMs; readonly item: TunnelNews }[];

beforeEach(() => {
  updateAt = undefined;
  asked = [];
  news = [];
  answers = () => MAPPED;
  watch = new TunnelWatch({
    rng: seededRng(1),
    pacer: createPacer(),
    intervalMs: () => 25_000,
    unansweredSince: () => updateAt,
  });
  watch.useWays(0, [WLAN, LTE]);
});

describe("the way in use", () => {
  test("is asked at least every 25 s, and other ways not at all", () => {
    runUntil(200_000);
    const gaps = asked.map(({ at }, i) => at - (asked[i - 1]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(25_000);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20_000);
    expect(new Set(asked.map(({ from }) => from))).toEqual(new Set([WLAN.local.ip]));
    expect(news).toEqual([]);
  });

  test("that has another mapping is reported, and asked twice as often from then on", () => {
    answers = (_from, at) => (at < 40_000 ? MAPPED : REMAPPED);
    runUntil(150_000);
    expect(news.map(({ item }) => item.type)).toEqual(["remapped"]);
    const later = asked.filter(({ at }) => at > 60_000);
    const gaps = later.slice(1).map(({ at }, i) => at - (later[i]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(12_500);
  });

  test("is given up after 2 s of silence when another one answers, which is asked after the first", () => {
    answers = (from, at) => (from === WLAN.local.ip && at > 30_000 ? undefined : MAPPED);
    runUntil(60_000);
    const silentAt = asked.find(({ at }) => at > 30_000)?.at ?? 0;
    const other = asked.find(({ from }) => from === LTE.local.ip);
    // The pace of a node: 5 ms behind the question on the way in use.
    expect((other?.at ?? 0) - silentAt).toBe(1005);
    expect(news[0]).toEqual({ at: silentAt + 2000, item: { type: "dead", next: LTE } });
  });

  test("is kept while no other one answers, and reported when it works again", () => {
    answers = (_from, at) => (at > 30_000 && at < 90_000 ? undefined : MAPPED);
    runUntil(100_000);
    expect(news.map(({ item }) => item.type)).toEqual(["works-again"]);
    expect(news[0]?.at).toBeLessThan(95_100);
    // Half a second, then a second, two, four and five apart, on each of the two ways.
    expect(asked.filter(({ at }) => at > 30_000 && at < 90_000).length).toBeLessThan(2 * 20);
  });

  test("is given up a second after an update that nothing answers, if it has never answered", () => {
    updateAt = 0;
    answers = (from) => (from === LTE.local.ip ? MAPPED : undefined);
    runUntil(5000);
    expect(news[0]).toMatchObject({ item: { type: "dead", next: LTE } });
    expect(news[0]?.at).toBeLessThan(1030);
  });

  test("is kept when it answers questions, though updates on it are not answered", () => {
    updateAt = 0;
    runUntil(20_000);
    expect(news).toEqual([]);
    expect(asked.length).toBeLessThan(5);
  });
});

describe("a better way than the one in use", () => {
  beforeEach(() => watch.use(0, LTE));

  test("is asked every 5 s, and reported once after three answers in a row", () => {
    answers = (from, at) => (from === WLAN.local.ip && at < 22_000 ? undefined : MAPPED);
    runUntil(60_000);
    const atBest = asked.filter(({ from }) => from === WLAN.local.ip).map(({ at }) => at);
    expect(atBest).toEqual([5000, 10_000, 15_000, 20_000, 25_000, 25_500, 26_000]);
    expect(news).toEqual([{ at: 26_020, item: { type: "better", next: WLAN } }]);
  });

  test("is not reported when its answers take longer than a second", () => {
    answers = (from) => (from === LTE.local.ip ? MAPPED : undefined);
    runUntil(5000);
    const slow = asked.find(({ from }) => from === WLAN.local.ip);
    if (slow !== undefined) answer(6500, slow.transmit, MAPPED);
    expect(news).toEqual([]);
  });

  test("rests for a minute when it does not register, and longer each time", () => {
    runUntil(7000);
    watch.refuse(7000);
    runUntil(80_000);
    watch.refuse(80_000);
    runUntil(300_000);
    expect(news.map(({ at }) => at)).toEqual([6020, 68_020, 201_020]);
  });
});

test.each([
  { what: "from another address", remote: { ip: "203.0.113.1", port: 4191 }, local: WLAN.local },
  { what: "at another socket", remote: HA, local: LTE.local },
])("an answer $what counts for nothing", ({ remote, local }) => {
  answers = () => undefined;
  runUntil(25_000);
  const [question] = asked;
  if (question === undefined) throw new Error("nothing was asked");
  answer(25_010, { ...question.transmit, remote, local }, MAPPED);
  runUntil(25_600);
  expect(asked.length).toBe(2);
});

test("after a sleep the way in use is asked at once, and a second of silence is enough", () => {
  runUntil(60_000);
  answers = (from) => (from === LTE.local.ip ? MAPPED : undefined);
  watch.resume(100_000);
  drain(100_000);
  expect(asked.at(-1)).toMatchObject({ at: 100_000, from: WLAN.local.ip });
  runUntil(103_000);
  expect(news[0]).toMatchObject({ item: { type: "dead", next: LTE } });
  expect((news[0]?.at ?? 0) - 100_000).toBeLessThan(1100);
});

/** Runs the watch by its wake-ups; a question is answered 20 ms later. */
function runUntil(end: InstantMs): void {
  drain(0);
  for (let at = nextAt(); at <= end; at = nextAt()) {
    const answered = asked.find((question) => !isAnswered.has(question.transmit) && question.at + 20 <= at);
    if (answered !== undefined) {
      isAnswered.add(answered.transmit);
      const mapped = answers(answered.from, answered.at);
      if (mapped !== undefined) answer(answered.at + 20, answered.transmit, mapped);
    } else {
      watch.handleTimeout(at);
      drain(at);
    }
  }
}

function nextAt(): InstantMs {
  const pending = asked.flatMap(({ at, transmit }) => (isAnswered.has(transmit) ? [] : [at + 20]));
  return Math.min(watch.pollTimeout() ?? Infinity, ...pending);
}

function answer(at: InstantMs, { local, remote, payload }: Transmit, mapped: typeof MAPPED): void {
  const question = decodeStun(payload);
  if (!question.ok) throw new Error(question.error.code);
  const { transactionId } = question.value;
  const attributes = [{ type: "xor-mapped-address", value: mapped }] as const;
  const reply = encodeStun({ class: "success", method: 1, transactionId, attributes }, { fingerprint: true });
  watch.handleStun(at, stunDatagram({ local, remote, payload: reply }));
  drain(at);
}

function drain(at: InstantMs): void {
  for (let transmit = watch.pollTransmit(); transmit !== undefined; transmit = watch.pollTransmit())
    asked.push({ at, from: transmit.local.ip, transmit });
  for (let item = watch.pollNews(); item !== undefined; item = watch.pollNews()) {
    news.push({ at, item });
    // As the home does, or the watch would report it again.
    if (item.type === "dead") watch.use(at, item.next);
  }
}
