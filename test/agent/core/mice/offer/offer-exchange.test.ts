import { describe, expect, test } from "vitest";
import {
  OfferExchange,
  type OfferPurpose,
  type ReceivedToken,
} from "../../../../../agent/src/core/mice/offer/offer-exchange.ts";
import { MISMATCH_ANSWER } from "../../../../../agent/src/core/mice/option/mip-ice-option.ts";
import { createMobilityLink } from "../../../../../agent/src/core/mice/session/mobility-link.ts";
import { decodeIpv6Packet } from "../../../../../agent/src/core/mip6/ipv6-packet.ts";
import { createMessageRate } from "../../../../../agent/src/core/mip6/message-rate.ts";
import { decodeMobilityMessage, type MobilityMessageOf } from "../../../../../agent/src/core/mip6/messages.ts";
import { findOption } from "../../../../../agent/src/core/mip6/options.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";

const HOME = "2001:db8:a::100";
const PEER = "2001:db8:b::200";
const LIMITS = { firstMs: 1000, maxMs: 32_000 };
const TOKEN: ReceivedToken = { index: 3, token: new Uint8Array(8), receivedAt: 0 };

interface Choice {
  readonly purpose?: OfferPurpose;
  readonly namesHomeNonce?: boolean;
  readonly homeToken?: ReceivedToken;
}

/** An exchange started at 0, with every Mobility Header that it sent. */
function begin({ purpose = "initial", namesHomeNonce = false, homeToken }: Choice = {}) {
  const headers: Uint8Array[] = [];
  const link = createMobilityLink(HOME, (packet) => {
    const ip = decodeIpv6Packet(packet);
    if (ip.ok) headers.push(ip.value.payload);
  });
  const start = { purpose, peer: PEER, description: MISMATCH_ANSWER, namesHomeNonce, limits: LIMITS };
  const exchange = new OfferExchange(
    0,
    { ...start, ...(homeToken && { homeToken }) },
    { rng: seededRng(1), link, rate: createMessageRate() },
  );
  const messages = () =>
    headers.flatMap((header) => {
      const message = decodeMobilityMessage(header, { source: HOME, destination: PEER });
      return message.ok ? [message.value] : [];
    });
  return { exchange, headers, types: () => messages().map(({ type }) => type), messages };
}

type Begun = ReturnType<typeof begin>;

function homeTest({ messages }: Begun): MobilityMessageOf<"home-test"> {
  const init = messages().findLast((message) => message.type === "home-test-init");
  if (init === undefined) throw new Error("no HoTI");
  const { homeInitCookie } = init;
  return { type: "home-test", homeNonceIndex: 7, homeInitCookie, homeKeygenToken: TOKEN.token, options: [] };
}

function answer({ messages }: Begun): MobilityMessageOf<"care-of-test-ice"> {
  const init = messages().findLast((message) => message.type === "care-of-test-init-ice");
  if (init === undefined) throw new Error("no offer");
  const { careOfInitCookie } = init;
  return {
    type: "care-of-test-ice",
    careOfNonceIndex: 8,
    careOfInitCookie,
    careOfKeygenToken: TOKEN.token,
    options: [],
  };
}

/** Wakes the exchange until it ends or the time is up; returns each wake-up and its result. */
function wakeUps({ exchange }: Begun, until: number): [number, string | undefined][] {
  const turns: [number, string | undefined][] = [];
  for (let at = exchange.pollTimeout(); at !== undefined && at <= until; at = exchange.pollTimeout())
    turns.push([at, exchange.handleTimeout(at)]);
  return turns;
}

describe("what leaves at once", () => {
  test.each([
    { name: "HoTI and offer", choice: {}, expected: ["home-test-init", "care-of-test-init-ice"] },
    {
      name: "the offer alone, with a token at hand",
      choice: { homeToken: TOKEN },
      expected: ["care-of-test-init-ice"],
    },
    {
      name: "the HoTI alone, when the offer names its nonce",
      choice: { namesHomeNonce: true },
      expected: ["home-test-init"],
    },
  ])("$name", ({ choice, expected }) => {
    expect(begin(choice).types()).toEqual(expected);
  });

  test.each([
    { name: "that came", homeToken: undefined, home: 7 },
    { name: "at hand", homeToken: TOKEN, home: 3 },
  ])("an offer that names a nonce names that of the token $name", ({ homeToken, home }) => {
    const begun = begin({ namesHomeNonce: true, ...(homeToken && { homeToken }) });
    if (homeToken === undefined) begun.exchange.takeHomeTest(10, homeTest(begun));
    const offer = begun.messages().at(-1);
    expect(offer?.type).toBe("care-of-test-init-ice");
    const options = offer?.type === "care-of-test-init-ice" ? offer.options : [];
    expect(findOption(options, "nonce-indices")).toMatchObject({ home, careOf: 0 });
  });
});

describe("repetition", () => {
  test("of an offer that nobody answers ends after 63 s, and says so once", () => {
    const begun = begin();
    const turns = wakeUps(begun, 1_000_000);
    expect(turns.map(([at]) => at / 1000)).toEqual([1, 3, 7, 15, 31, 63]);
    expect(turns.filter(([, end]) => end !== undefined)).toEqual([[63_000, "unanswered"]]);
    expect(begun.exchange.handleTimeout(100_000)).toBeUndefined();
    expect(begun.headers.length).toBe(12);
  });

  test.each([
    { name: "a refresh", purpose: "refresh" as const, isAnswered: false },
    { name: "a session that lacks its home token", purpose: "initial" as const, isAnswered: true },
  ])("of $name goes on every 32 s", ({ purpose, isAnswered }) => {
    const begun = begin({ purpose });
    if (isAnswered) begun.exchange.takeAnswer(10, answer(begun));
    const turns = wakeUps(begun, 200_000);
    expect(turns.map(([at]) => at / 1000)).toEqual([1, 3, 7, 15, 31, 63, 95, 127, 159, 191]);
    expect(turns.some(([, end]) => end !== undefined)).toBe(false);
  });

  test("is of what is missing only, and ends with both tokens", () => {
    const begun = begin();
    begun.exchange.takeHomeTest(10, homeTest(begun));
    begun.exchange.handleTimeout(1000);
    expect(begun.types().slice(2)).toEqual(["care-of-test-init-ice"]);
    expect(begun.headers[2]).toEqual(begun.headers[1]);
    begun.exchange.takeAnswer(1010, answer(begun));
    expect(begun.exchange.pollTimeout()).toBeUndefined();
    expect([begun.exchange.homeToken, begun.exchange.careOfToken]).toEqual([
      { index: 7, token: TOKEN.token, receivedAt: 10 },
      { index: 8, token: TOKEN.token, receivedAt: 1010 },
    ]);
  });

  test("does nothing before its time", () => {
    const begun = begin();
    expect(begun.exchange.handleTimeout(999)).toBeUndefined();
    expect(begun.headers.length).toBe(2);
  });
});

test("an answer is awaited once, and with the cookie of the offer", () => {
  const begun = begin();
  const good = answer(begun);
  expect(begun.exchange.awaitsAnswer({ ...good, careOfInitCookie: new Uint8Array(8) })).toBe(false);
  expect(begun.exchange.awaitsAnswer(good)).toBe(true);
  begun.exchange.takeAnswer(10, good);
  expect(begun.exchange.awaitsAnswer(good)).toBe(false);
});

describe("a quote of a message", () => {
  test("counts from the end of its cookie on, and not beyond the end of the message", () => {
    const { exchange, headers } = begin();
    for (const header of headers) {
      const isQuote = (length: number): boolean => exchange.awaitsAnswerTo(header.subarray(0, length));
      expect([0, 8, 15].map(isQuote)).toEqual([false, false, false]);
      expect([16, header.length].map(isQuote)).toEqual([true, true]);
      expect(exchange.awaitsAnswerTo(Uint8Array.of(...header, 0))).toBe(false);
      for (let at = 0; at < header.length; at += 1)
        expect(exchange.awaitsAnswerTo(header.with(at, (header[at] ?? 0) ^ 1))).toBe(false);
    }
  });

  test("counts until the message is answered, an earlier HoTI as well", () => {
    const begun = begin();
    begun.exchange.handleTimeout(1000);
    const quotes = (): boolean[] => begun.headers.map((header) => begun.exchange.awaitsAnswerTo(header));
    expect(quotes()).toEqual([true, true, true, true]);
    begun.exchange.takeHomeTest(1010, homeTest(begun));
    expect(quotes()).toEqual([false, true, false, true]);
    begun.exchange.takeAnswer(1020, answer(begun));
    expect(quotes()).toEqual([false, false, false, false]);
  });

  test("counts for nothing while the offer has not left", () => {
    const { exchange } = begin({ namesHomeNonce: true });
    expect(exchange.awaitsAnswerTo(new Uint8Array(64))).toBe(false);
  });
});
