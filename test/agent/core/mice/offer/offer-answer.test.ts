import { describe, expect, test } from "vitest";
import { hostCandidate } from "../../../../../agent/src/core/ice/candidate.ts";
import { makeCredentials } from "../../../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import { decodeMipIce, encodeMipIce } from "../../../../../agent/src/core/mice/option/mip-ice-option.ts";
import type { MobilityMessage } from "../../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityHeader } from "../../../../../agent/src/core/mip6/mobility-header.ts";
import { seededRng } from "../../../../../agent/src/testing/index.ts";
import { CN_HOME, CN_HOME_AGENT, HandMadePeer, MN_HOME, MN_SOCKET } from "../hand-made-peer.ts";

const rng = seededRng(99);
const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function answerOf(peer: HandMadePeer) {
  const sent = peer.sentOf("care-of-test-ice").at(-1);
  const decoded = sent && decodeMipIce(sent.message.options);
  if (decoded?.ok !== true || decoded.value === undefined) throw new Error("no answer with a MIP-ICE option was sent");
  return decoded.value.description;
}

function offerWith(peer: HandMadePeer, cookie: Uint8Array, change: Parameters<HandMadePeer["offer"]>[0]): void {
  const options = encodeMipIce({ ...peer.description, ...change });
  peer.sendFromHome({ type: "care-of-test-init-ice", careOfInitCookie: cookie, options });
}

describe("a correspondent on an offer", () => {
  test("lists its host candidate and its home address in the answer, with credentials of its own", () => {
    const peer = new HandMadePeer();
    peer.offer();
    const answer = answerOf(peer);
    expect(answer.candidates.map(({ type, address }) => `${type} ${address.ip}`)).toEqual([
      "host 198.18.0.20",
      `relayed ${CN_HOME}`,
    ]);
    expect(answer.credentials).not.toEqual(peer.description.credentials);
    expect(answer.isMismatch).toBe(false);
  });

  test("repeats the very octets of its answer to a repeated offer", () => {
    const peer = new HandMadePeer();
    peer.offer({}, COOKIE);
    offerWith(peer, COOKIE, {});
    const [first, second] = peer.sentOf("care-of-test-ice");
    expect(second?.header).toEqual(first?.header);
    expect(peer.eventsOf("offer-received").length).toBe(1);
  });

  test("answers an offer that does not list the home address with the M flag and nothing else", () => {
    const peer = new HandMadePeer();
    peer.offer({ candidates: [hostCandidate(MN_SOCKET)] });
    expect(answerOf(peer)).toMatchObject({
      isMismatch: true,
      candidates: [],
      credentials: { ufrag: "AAAA", pwd: "A".repeat(22) },
    });
    expect(peer.eventsOf("session-failed").map(({ reason }) => reason)).toEqual([
      "the offer does not list the peer's home address (ice-mismatch)",
    ]);
  });

  test("takes unchanged credentials for a refresh: fresh tokens, the selected candidate, no new checks", () => {
    const peer = new HandMadePeer();
    peer.offer();
    peer.runFor(1000);
    const before = peer.cn.counters()["checks.sent"];
    const completed = { candidates: [hostCandidate(MN_SOCKET)], remoteCandidates: [] };
    offerWith(peer, COOKIE, completed);
    peer.runFor(1000);
    expect(answerOf(peer).candidates.map(({ type }) => type)).toEqual(["host"]);
    expect(peer.sentOf("care-of-test-ice").length).toBe(2);
    expect(peer.cn.counters()["checks.sent"]).toBe(before);
  });

  test("takes two changed credentials for a restart, and refuses checks with the old ones", () => {
    const peer = new HandMadePeer();
    peer.offer();
    peer.runFor(1000);
    const old = answerOf(peer).credentials;
    peer.offer();
    peer.runFor(1000);
    expect(answerOf(peer).credentials).not.toEqual(old);
    expect(peer.eventsOf("offer-received").map(({ isRestart }) => isRestart)).toEqual([false, true]);
    expect(peer.eventsOf("nominated").length).toBe(2);
  });

  test.each([
    { name: "ufrag", keep: "pwd" as const },
    { name: "password", keep: "ufrag" as const },
  ])("drops an offer with only another $name", ({ keep }) => {
    const peer = new HandMadePeer();
    peer.offer();
    const fresh = makeCredentials(rng);
    offerWith(peer, COOKIE, { credentials: { ...fresh, [keep]: peer.description.credentials[keep] } });
    expect(peer.sentOf("care-of-test-ice").length).toBe(1);
    expect(peer.cn.counters()["dropped.offer-half-changed"]).toBe(1);
  });

  test("drops an offer whose option is damaged, whole, and makes nothing of it", () => {
    const peer = new HandMadePeer();
    peer.offer();
    const options = encodeMipIce(peer.description).map((option) => ({ ...option, data: option.data.with(10, 0xee) }));
    peer.sendFromHome({ type: "care-of-test-init-ice", careOfInitCookie: COOKIE, options });
    expect(peer.cn.counters()["dropped.mip-ice-checksum"]).toBe(1);
    expect(peer.sentOf("care-of-test-ice").length).toBe(1);
  });
});

describe("a node on other mobility messages", () => {
  test("answers HoTI with its cookie, a nonce index and a token, back through the home agents, and keeps nothing", () => {
    const peer = new HandMadePeer();
    peer.sendFromHome({ type: "home-test-init", homeInitCookie: COOKIE, options: [] });
    peer.sendFromHome({ type: "home-test-init", homeInitCookie: COOKIE, options: [] });
    const [first, second] = peer.sentOf("home-test");
    expect(first).toMatchObject({ to: CN_HOME_AGENT, message: { homeInitCookie: COOKIE } });
    expect(first?.message.homeKeygenToken).toHaveLength(8);
    expect(second?.header).toEqual(first?.header);
    expect(peer.eventsOf("offer-received")).toEqual([]);
  });

  test.each<{ message: MobilityMessage; counter: string }>([
    {
      message: { type: "home-test-init", homeInitCookie: COOKIE, options: [] },
      counter: "dropped.home-test-init-off-home-path",
    },
    {
      message: { type: "care-of-test-init-ice", careOfInitCookie: COOKIE, options: [] },
      counter: "dropped.care-of-test-init-ice-off-home-path",
    },
  ])("$message.type counts only through the home agents", ({ message, counter }) => {
    const peer = new HandMadePeer();
    peer.offer();
    peer.runFor(1000);
    const before = peer.sent.length;
    peer.send(message, MN_SOCKET);
    expect(peer.sent.length).toBe(before);
    expect(peer.cn.counters()[counter]).toBe(1);
  });

  test("answers a message of an unknown type with a Binding Error of status 2", () => {
    const peer = new HandMadePeer();
    const header = encodeMobilityHeader(99, new Uint8Array(10), { source: MN_HOME, destination: CN_HOME });
    peer.sendHeader(header, CN_HOME_AGENT);
    expect(peer.sentOf("binding-error").map(({ message }) => message.status)).toEqual([2]);
  });

  test("answers messages of unknown types with one Binding Error in a second", () => {
    const peer = new HandMadePeer();
    const header = encodeMobilityHeader(99, new Uint8Array(10), { source: MN_HOME, destination: CN_HOME });
    for (const atMs of [0, 10, 999, 1000]) {
      peer.runFor(atMs - peer.now);
      peer.sendHeader(header, CN_HOME_AGENT);
    }
    expect(peer.sentOf("binding-error").length).toBe(2);
    expect(peer.cn.counters()["refused.unknown-mobility-header"]).toBe(4);
  });

  test("ignores an answer to no question, and one with another cookie", () => {
    const peer = new HandMadePeer();
    const answer: MobilityMessage = {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie: COOKIE,
      careOfKeygenToken: COOKIE,
      options: [],
    };
    peer.sendFromHome(answer);
    expect(peer.cn.counters()["dropped.no-session"]).toBe(1);
    peer.offer();
    peer.sendFromHome(answer);
    expect(peer.cn.counters()["dropped.answer-unexpected"]).toBe(1);
  });

  test("drops a header with a wrong checksum", () => {
    const peer = new HandMadePeer();
    const header = encodeMobilityHeader(1, new Uint8Array(10), { source: MN_HOME, destination: CN_HOME });
    peer.sendHeader(header.with(5, (header[5] ?? 0) ^ 1), CN_HOME_AGENT);
    expect(peer.cn.counters()["dropped.mobility-checksum"]).toBe(1);
  });
});

test("a flood of offers from strangers is held to its rate and leaves a working session alone", () => {
  const peer = new HandMadePeer();
  peer.offer();
  peer.runFor(1000);
  peer.update();
  for (let i = 0; i < 1000; i++) {
    peer.floodFrom(`2001:db8:f::${(i + 1).toString(16)}`);
    peer.runFor(10);
  }
  const counters = peer.cn.counters();
  // 20 at once and 10 a second for ten seconds.
  expect(counters["dropped.session-rate"]).toBeGreaterThan(850);
  const paths = peer.eventsOf("path").filter((event) => event.peer === MN_HOME);
  expect(paths.map(({ path }) => path)).toEqual(["direct"]);
  peer.update({ sequence: 2 });
  expect(peer.sentOf("binding-acknowledgement").at(-1)?.message.status).toBe(0);
});
