import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { demultiplex } from "../../../../agent/src/core/node/demultiplex.ts";
import type { StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import { decodeStun, encodeStun, findAttribute, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { answerBinding, answerReceived, type StunServerConfig } from "../../../../agent/src/core/stun/server.ts";
import {
  BARE_REQUEST,
  CHECK_SUCCESS,
  FINGERPRINTED_REQUEST,
  KEEPALIVE_INDICATION,
  KEY_R,
  ROLE_CONFLICT,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";
import { hasRightFingerprint } from "./received.ts";

const SERVER: SocketAddress = { ip: "198.18.0.2", port: 3478 };
const CLIENT: SocketAddress = { ip: "198.18.0.11", port: 61001 };

const PLAIN: StunServerConfig = {};
const WITH_DISCOVERY: StunServerConfig = {
  discovery: [
    { ips: ["198.18.0.2", "198.18.0.3"], ports: [3478, 3479] },
    { ips: ["2001:db8::2", "2001:db8::3"], ports: [3478, 3479] },
  ],
};

const CHANGE_BOTH: StunAttribute = { type: "change-request", value: { changeIp: true, changePort: true } };
const CHANGE_PORT: StunAttribute = { type: "change-request", value: { changeIp: false, changePort: true } };
const CHANGE_IP: StunAttribute = { type: "change-request", value: { changeIp: true, changePort: false } };
const CHANGE_NOTHING: StunAttribute = { type: "change-request", value: { changeIp: false, changePort: false } };

describe("a Binding request", () => {
  test("is answered with the address it came from, in both codings, and with the socket that answers", () => {
    const answer = ask([]);

    expect(answer).toMatchObject({ local: SERVER, remote: CLIENT });
    expect(answer.message).toMatchObject({ class: "success", method: 1, transactionId: TRANSACTION_ID });
    expect(answer.message.attributes.slice(0, -1)).toEqual([
      { type: "xor-mapped-address", value: CLIENT },
      { type: "mapped-address", value: CLIENT },
      { type: "response-origin", value: SERVER },
    ]);
  });

  test("is answered over IPv6 too", () => {
    const local = { ip: "2001:db8::2", port: 3478 };
    const remote = { ip: "2001:db8:c::5", port: 40001 };
    const answer = ask([], { local, remote });

    expect(findAttribute(answer.message, "xor-mapped-address")).toEqual(remote);
    expect(findAttribute(answer.message, "response-origin")).toEqual(local);
  });

  test.each([
    {
      name: "without FINGERPRINT where none is required",
      payload: BARE_REQUEST,
      requireFingerprint: false,
      answers: 1,
    },
    {
      name: "with FINGERPRINT where none is required",
      payload: FINGERPRINTED_REQUEST,
      requireFingerprint: false,
      answers: 1,
    },
    {
      name: "with FINGERPRINT where it is required",
      payload: FINGERPRINTED_REQUEST,
      requireFingerprint: true,
      answers: 1,
    },
    { name: "without FINGERPRINT where it is required", payload: BARE_REQUEST, requireFingerprint: true, answers: 0 },
  ])("$name gets $answers answers, with FINGERPRINT", ({ payload, requireFingerprint, answers }) => {
    const transmits = requireFingerprint
      ? answersOnSharedPort(payload)
      : answerBinding({ local: SERVER, remote: CLIENT, payload }, PLAIN);

    expect(transmits).toHaveLength(answers);
    for (const transmit of transmits) expect(hasRightFingerprint(transmit.payload)).toBe(true);
  });

  test("may carry credentials, which are not looked at", () => {
    const payload = encodeStun(request([{ type: "username", value: "somebody" }]), { key: KEY_R, fingerprint: true });
    const [transmit] = answerBinding({ local: SERVER, remote: CLIENT, payload }, PLAIN);

    expect(messageOf(transmit)).toMatchObject({ class: "success" });
  });

  test("with an unknown attribute that needs comprehension is answered 420, which names it", () => {
    const answer = ask([
      { type: "unknown", number: 0x7001, value: new Uint8Array(0) },
      { type: "unknown", number: 0xc001, value: new Uint8Array(0) },
      { type: "use-candidate", value: true },
    ]);

    expect(findAttribute(answer.message, "error-code")).toEqual({ code: 420, reason: "Unknown Attribute" });
    expect(findAttribute(answer.message, "unknown-attributes")).toEqual([0x7001, 0x0025]);
  });
});

test.each([
  { name: "a success response", payload: CHECK_SUCCESS },
  { name: "an error response", payload: ROLE_CONFLICT },
  { name: "an indication", payload: KEEPALIVE_INDICATION },
  { name: "another method", payload: encodeStun({ ...request([]), method: 3 }, { fingerprint: true }) },
  { name: "what is no STUN", payload: new Uint8Array(40) },
  { name: "nothing", payload: new Uint8Array(0) },
])("$name gets no answer", ({ payload }) => {
  expect(answerBinding({ local: SERVER, remote: CLIENT, payload }, WITH_DISCOVERY)).toEqual([]);
});

describe("a server with two addresses and two ports (RFC 5780)", () => {
  test("names the socket that differs in both", () => {
    const answer = ask([], { config: WITH_DISCOVERY });
    expect(findAttribute(answer.message, "other-address")).toEqual({ ip: "198.18.0.3", port: 3479 });
  });

  test.each([
    { name: "address and port", change: CHANGE_BOTH, from: { ip: "198.18.0.3", port: 3479 } },
    { name: "the port", change: CHANGE_PORT, from: { ip: "198.18.0.2", port: 3479 } },
    { name: "the address", change: CHANGE_IP, from: { ip: "198.18.0.3", port: 3478 } },
    { name: "nothing", change: CHANGE_NOTHING, from: { ip: "198.18.0.2", port: 3478 } },
  ])("changes $name on request and says so", ({ change, from }) => {
    const answer = ask([change], { config: WITH_DISCOVERY });

    expect(answer).toMatchObject({ local: from, remote: CLIENT });
    expect(findAttribute(answer.message, "response-origin")).toEqual(from);
    expect(findAttribute(answer.message, "xor-mapped-address")).toEqual(CLIENT);
    expect(findAttribute(answer.message, "other-address")).toEqual({ ip: "198.18.0.3", port: 3479 });
  });

  test("changes relative to the socket that was asked", () => {
    const answer = ask([CHANGE_BOTH], { config: WITH_DISCOVERY, local: { ip: "198.18.0.3", port: 3478 } });

    expect(answer.local).toEqual({ ip: "198.18.0.2", port: 3479 });
    expect(findAttribute(answer.message, "other-address")).toEqual({ ip: "198.18.0.2", port: 3479 });
  });

  test("stays within the IP version that was asked", () => {
    const local = { ip: "2001:db8::2", port: 3478 };
    const answer = ask([CHANGE_BOTH], { config: WITH_DISCOVERY, local, remote: { ip: "2001:db8::9", port: 1 } });

    expect(answer.local).toEqual({ ip: "2001:db8::3", port: 3479 });
  });

  test.each([
    { name: "an address", local: { ip: "198.18.0.4", port: 3478 } },
    { name: "a port", local: { ip: "198.18.0.2", port: 4191 } },
  ])("has no other address on a socket with $name outside the four", ({ local }) => {
    expect(findAttribute(ask([], { config: WITH_DISCOVERY, local }).message, "other-address")).toBeUndefined();
    const answer = ask([CHANGE_PORT], { config: WITH_DISCOVERY, local });
    expect(findAttribute(answer.message, "error-code")?.code).toBe(420);
  });
});

describe("a server with one address", () => {
  test("answers CHANGE-REQUEST with 420, which names it, from where it was asked", () => {
    const answer = ask([CHANGE_BOTH]);

    expect(answer).toMatchObject({ local: SERVER, remote: CLIENT, message: { class: "error" } });
    expect(findAttribute(answer.message, "error-code")?.code).toBe(420);
    expect(findAttribute(answer.message, "unknown-attributes")).toEqual([0x0003]);
  });
});

describe("RESPONSE-PORT and PADDING", () => {
  test.each([
    { local: SERVER, remote: CLIENT },
    { local: { ip: "2001:db8::2", port: 3478 }, remote: { ip: "2001:db8:c::5", port: 40001 } },
  ])("as much PADDING as a datagram holds is answered with what fits an answer, to $remote.ip", (addresses) => {
    const answer = ask([{ type: "padding", value: 65_496 }], addresses);
    expect(findAttribute(answer.message, "padding")).toBe(9000);
  });

  test("the answer goes to the port asked for, at the address the request came from", () => {
    const answer = ask([{ type: "response-port", value: 50000 }]);

    expect(answer.remote).toEqual({ ip: CLIENT.ip, port: 50000 });
    expect(findAttribute(answer.message, "xor-mapped-address")).toEqual(CLIENT);
  });

  test("a padded request gets an answer padded alike, and no larger than the discovery attributes make it", () => {
    const plain = ask([]).payload.length;
    const answer = ask([{ type: "padding", value: 1500 }]);

    expect(findAttribute(answer.message, "padding")).toBe(1500);
    expect(answer.payload.length).toBe(plain + 1504);
  });

  test("together they are answered 400, to where the request came from", () => {
    const answer = ask([
      { type: "response-port", value: 50000 },
      { type: "padding", value: 8 },
    ]);

    expect(findAttribute(answer.message, "error-code")).toEqual({ code: 400, reason: "Bad Request" });
    expect(answer.remote).toEqual(CLIENT);
  });

  test("port 0 is answered 400", () => {
    expect(findAttribute(ask([{ type: "response-port", value: 0 }]).message, "error-code")?.code).toBe(400);
  });
});

test("the server never throws, sends at most one answer, and only from its own sockets", () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.uint8Array({ maxLength: 60 }).map((body) => {
      const padded = new Uint8Array(Math.floor(body.length / 4) * 4);
      padded.set(body.subarray(0, padded.length));
      return Uint8Array.from([0, 1, 0, padded.length, ...BARE_REQUEST.subarray(4), ...padded]);
    }),
  );
  fc.assert(
    fc.property(octets, (payload) => {
      const transmits = answerBinding({ local: SERVER, remote: CLIENT, payload }, WITH_DISCOVERY);
      expect(transmits.length).toBeLessThanOrEqual(1);
      for (const { local } of transmits) expect(["198.18.0.2", "198.18.0.3"]).toContain(local.ip);
    }),
    { numRuns: 500 },
  );
});

function request(attributes: readonly StunAttribute[]): StunMessage {
  return { class: "request", method: 1, transactionId: TRANSACTION_ID, attributes };
}

/** Sends a request with these attributes and returns the one answer with its message decoded. */
function ask(
  attributes: readonly StunAttribute[],
  { config = PLAIN, local = SERVER, remote = CLIENT } = {},
): Transmit & { readonly message: StunMessage } {
  const payload = encodeStun(request(attributes), { fingerprint: true });
  const [answer, ...more] = answerBinding({ local, remote, payload }, config);
  if (answer === undefined || more.length > 0) throw new Error("expected exactly one answer");
  return { ...answer, message: messageOf(answer) };
}

function messageOf(transmit: Transmit | undefined): StunMessage {
  const result = decodeStun(transmit?.payload ?? new Uint8Array(0));
  if (!result.ok) throw new Error(`expected a STUN message, found ${result.error.code}`);
  return result.value;
}

/** The server's answers on a shared port: the demultiplexer passes only messages with FINGERPRINT to it. */
function answersOnSharedPort(payload: Uint8Array): readonly Transmit[] {
  const received = demultiplex(payload);
  return received.kind === "stun" ? answerReceived({ ...received, local: SERVER, remote: CLIENT }, PLAIN) : [];
}
