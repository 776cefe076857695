import { describe, expect, test } from "vitest";
import { isAuthorized } from "../../../../../agent/src/core/mip6/return-routability.ts";
import { CN_HOME, CN_HOME_AGENT, HandMadePeer, MN_HOME, MN_SOCKET, type UpdateChoice } from "../hand-made-peer.ts";

/** A correspondent that nominated the pair of the two sockets. */
function nominated(): HandMadePeer {
  const peer = new HandMadePeer();
  peer.offer();
  peer.runFor(1000);
  expect(peer.eventsOf("nominated").map(({ pair }) => pair.remote.address)).toEqual([MN_SOCKET]);
  return peer;
}

function lastAcknowledgement(peer: HandMadePeer) {
  const sent = peer.sentOf("binding-acknowledgement").at(-1);
  if (sent === undefined) throw new Error("no Binding Acknowledgement was sent");
  return sent;
}

/** Whether the acknowledgement has an authenticator made with the right key. */
function isSigned(peer: HandMadePeer, careOf = MN_SOCKET.ip): boolean {
  return isAuthorized(lastAcknowledgement(peer).header, { key: peer.key, careOf, correspondent: CN_HOME });
}

describe("a correspondent on a Binding Update", () => {
  test("accepts the care-of address of the nominated pair, and sends data straight there", () => {
    const peer = nominated();
    peer.update({ sequence: 7 });
    const { message, to } = lastAcknowledgement(peer);
    expect(message).toMatchObject({ status: 0, sequence: 7, lifetimeSec: 420 });
    expect(to).toEqual(MN_SOCKET);
    expect(isSigned(peer)).toBe(true);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "direct", peer: MN_HOME });
  });

  test("answers the updated offer in its acknowledgement with the selected candidate alone", () => {
    const peer = nominated();
    peer.update();
    expect(lastAcknowledgement(peer).message.options.map(({ type }) => type)).toEqual([
      "opaque",
      "binding-authorization-data",
    ]);
  });

  test("refuses an address that no check proved: status 174, signed, and data stays where it was", () => {
    const peer = nominated();
    peer.update({ careOf: "198.18.0.99" });
    expect(lastAcknowledgement(peer).message).toMatchObject({ status: 174, lifetimeSec: 0 });
    expect(isSigned(peer, "198.18.0.99")).toBe(true);
    expect(peer.eventsOf("path")).toEqual([]);
  });

  test.each<{ name: string; choice: UpdateChoice; counter: string }>([
    {
      name: "with a wrong authenticator",
      choice: { key: new Uint8Array(20) },
      counter: "dropped.update-unauthorized",
    },
    { name: "without nonce indices", choice: { indices: "none" }, counter: "dropped.update-no-nonce-indices" },
  ])("says nothing to an update $name", ({ choice, counter }) => {
    const peer = nominated();
    peer.update(choice);
    expect(peer.sentOf("binding-acknowledgement")).toEqual([]);
    expect(peer.cn.counters()[counter]).toBe(1);
    expect(peer.eventsOf("path")).toEqual([]);
  });

  test.each([
    { name: "home nonce", expired: { home: 99 }, status: 136 },
    { name: "care-of nonce", expired: { careOf: 99 }, status: 137 },
    { name: "both nonces", expired: { home: 98, careOf: 99 }, status: 138 },
  ])("names an expired $name with status $status, without authenticator", ({ expired, status }) => {
    const peer = nominated();
    const known = peer.sentOf("care-of-test-ice").at(-1)?.message.careOfNonceIndex ?? 0;
    peer.update({ indices: { home: known, careOf: known, ...expired } });
    expect(lastAcknowledgement(peer).message).toMatchObject({ status, sequence: 1, options: [] });
  });

  test("answers a home registration with 131, without authenticator, and binds nothing", () => {
    const peer = nominated();
    peer.update({ homeRegistration: true });
    const { message } = lastAcknowledgement(peer);
    expect(message).toMatchObject({ status: 131, lifetimeSec: 0, options: [] });
    expect(peer.eventsOf("path")).toEqual([]);
  });

  test("tokens are worth nothing after 240 s", () => {
    const peer = nominated();
    peer.runFor(240_000);
    peer.update();
    expect(lastAcknowledgement(peer).message.status).toBe(138);
  });

  test.each([
    { name: "the same sequence number again", sequence: 7, status: 135 },
    { name: "an older one", sequence: 6, status: 135 },
    { name: "one half a circle ahead", sequence: (7 + 0x8000) & 0xffff, status: 135 },
    { name: "the next one", sequence: 8, status: 0 },
  ])("$name gets status $status", ({ sequence, status }) => {
    const peer = nominated();
    peer.update({ sequence: 7 });
    peer.update({ sequence });
    expect(lastAcknowledgement(peer).message).toMatchObject({ status, sequence: status === 0 ? sequence : 7 });
    expect(isSigned(peer)).toBe(true);
  });

  test("sequence numbers outlive a restart of the session", () => {
    const peer = nominated();
    peer.update({ sequence: 7 });
    peer.offer();
    peer.runFor(1000);
    peer.update({ sequence: 7 });
    expect(lastAcknowledgement(peer).message).toMatchObject({ status: 135, sequence: 7 });
  });

  test("without the A flag a good update is taken silently, a bad one is answered all the same", () => {
    const peer = nominated();
    peer.update({ acknowledge: false });
    expect(peer.sentOf("binding-acknowledgement")).toEqual([]);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "direct" });
    peer.update({ acknowledge: false, sequence: 2, careOf: "198.18.0.99" });
    expect(lastAcknowledgement(peer).message.status).toBe(174);
  });

  test("grants 420 s at most, and goes back to the home agents when they are over", () => {
    const peer = nominated();
    peer.update({ lifetimeSec: 2000 });
    expect(lastAcknowledgement(peer).message.lifetimeSec).toBe(420);
    peer.runFor(419_999);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "direct" });
    peer.runFor(1);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "home-agents" });
  });

  test("lifetime 0, with the key of the home token alone, removes the binding", () => {
    const peer = nominated();
    peer.update({ sequence: 1 });
    peer.update({ sequence: 2, lifetimeSec: 0 });
    expect(lastAcknowledgement(peer).message).toMatchObject({ status: 0, sequence: 2, lifetimeSec: 0 });
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "home-agents" });
  });

  test("is answered the way it came: through the home agents", () => {
    const peer = nominated();
    peer.update({ from: CN_HOME_AGENT });
    expect(lastAcknowledgement(peer).to).toEqual(CN_HOME_AGENT);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "direct" });
  });

  test("from a stranger's address is dropped before anything is computed", () => {
    const peer = nominated();
    peer.update({ from: { ip: "198.18.0.66", port: 4000 } });
    expect(peer.sentOf("binding-acknowledgement")).toEqual([]);
    expect(peer.cn.counters()["dropped.data-from-stranger"]).toBe(1);
  });
});

describe("an update that overtakes the checks", () => {
  /** Offer and answer are exchanged; the correspondent's checks are not yet answered. */
  function checking(): HandMadePeer {
    const peer = new HandMadePeer();
    peer.isLinkUp = false;
    peer.offer();
    peer.runFor(60);
    return peer;
  }

  test("is held, and accepted as soon as the pair it names is valid", () => {
    const peer = checking();
    peer.update({ from: CN_HOME_AGENT });
    expect(peer.sentOf("binding-acknowledgement")).toEqual([]);
    peer.isLinkUp = true;
    peer.runFor(1000);
    expect(lastAcknowledgement(peer).message.status).toBe(0);
    expect(peer.eventsOf("path").at(-1)).toMatchObject({ path: "direct" });
  });

  test("is refused with 174 when two seconds have not settled the pair", () => {
    const peer = checking();
    peer.update({ from: CN_HOME_AGENT });
    peer.runFor(1999);
    expect(peer.sentOf("binding-acknowledgement")).toEqual([]);
    peer.runFor(1);
    expect(lastAcknowledgement(peer).message.status).toBe(174);
  });
});
