import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../../agent/src/core/address.ts";
import type { Transmit } from "../../../../agent/src/core/machine.ts";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import { createStunServer } from "../../../../agent/src/core/node/stun-node.ts";
import { encodeStun } from "../../../../agent/src/core/stun/message.ts";
import { answerBinding, type StunServerConfig } from "../../../../agent/src/core/stun/server.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";
import { fromHex, toHex } from "../../../vectors/hex.ts";
import { BARE_REQUEST, FINGERPRINTED_REQUEST } from "../../../vectors/mice-stun.ts";

const SERVER: SocketAddress = { ip: "198.18.0.2", port: 3478 };
const CLIENT: SocketAddress = { ip: "198.51.100.10", port: 61001 };
const TUNNEL: SocketAddress = { ip: "198.18.0.2", port: 4191 };

const WITH_DISCOVERY: StunServerConfig = {
  discovery: [{ ips: ["198.18.0.2", "198.18.0.3"], ports: [3478, 3479] }],
};

/** Binding Request of RFC 3489 section 11.1: type, length 0, 128 bits of transaction ID. */
const REQUEST = fromHex("00010000 deadbeef 000102030405060708090a0b");
/** Binding Response: MAPPED-ADDRESS of IPv4, port 61001, 198.51.100.10. */
const RESPONSE = "0101000cdeadbeef000102030405060708090a0b000100080001ee49c633640a";

function createTestHomeAgent() {
  return createHomeAgent(
    {
      address: "2001:db8:a::1",
      homePrefix: "2001:db8:a::/64",
      tunnelSockets: [TUNNEL],
      stunSockets: [SERVER],
    },
    seededRng(1),
  );
}

describe("an RFC 3489 request", () => {
  test("is answered with MAPPED-ADDRESS alone and its own transaction ID of 16 octets", () => {
    const [answer, ...more] = ask(REQUEST);

    expect(answer).toMatchObject({ local: SERVER, remote: CLIENT });
    expect(octets(answer)).toBe(RESPONSE);
    expect(more).toEqual([]);
  });

  test("is answered by a home agent and by a STUN server node", () => {
    for (const node of [createTestHomeAgent(), createStunServer({})]) {
      node.handleDatagram(0, { local: SERVER, remote: CLIENT, payload: REQUEST });
      expect(octets(node.pollTransmit())).toBe(RESPONSE);
    }
  });

  test("on the port of the tunnel gets no answer", () => {
    const homeAgent = createTestHomeAgent();
    homeAgent.handleDatagram(0, { local: TUNNEL, remote: CLIENT, payload: REQUEST });

    expect(homeAgent.pollTransmit()).toBeUndefined();
  });

  test("with RESPONSE-ADDRESS and a value that is unknown too is answered 420, in whole words", () => {
    const request = fromHex(`
      0001001c deadbeef 000102030405060708090a0b
      00020008 0001 1f90 c6336401
      00030004 00000006
      00070004 61626364`);
    const [answer] = ask(request);

    expect(answer).toMatchObject({ local: SERVER, remote: CLIENT });
    expect(octets(answer)).toBe(
      "01110028deadbeef000102030405060708090a0b" +
        // 420, "Unknown Attribute" and three blanks.
        "0009001800000414556e6b6e6f776e20417474726962757465202020" +
        // Three attributes, the last of them twice.
        "000a00080002000300070007",
    );
  });

  test("may ask for an answer from the other address and port, where there is one", () => {
    const request = fromHex("00010008 deadbeef 000102030405060708090a0b 00030004 00000006");
    const [answer] = ask(request, WITH_DISCOVERY);

    expect(answer).toMatchObject({ local: { ip: "198.18.0.3", port: 3479 }, remote: CLIENT });
    expect(octets(answer)).toBe(RESPONSE);
  });
});

test.each([
  { name: "a response", payload: fromHex("01010000 deadbeef 000102030405060708090a0b") },
  { name: "an indication", payload: fromHex("00110000 deadbeef 000102030405060708090a0b") },
  {
    name: "Shared Secret, the other method of RFC 3489",
    payload: fromHex("00020000 deadbeef 000102030405060708090a0b"),
  },
  { name: "a length that is not that of the datagram", payload: fromHex("00010004 deadbeef 000102030405060708090a0b") },
  { name: "a cut header", payload: REQUEST.subarray(0, 19) },
  { name: "a request with FINGERPRINT whose cookie is damaged", payload: damaged(FINGERPRINTED_REQUEST) },
])("without the cookie, $name gets no answer", ({ payload }) => {
  expect(ask(payload)).toEqual([]);
});

test("a request with the cookie is no RFC 3489 request, whatever it lacks", () => {
  const [answer] = ask(BARE_REQUEST);
  expect(octets(answer)).toContain("0020");
  const wrongFingerprint = encodeStun(
    {
      class: "request",
      method: 1,
      transactionId: new Uint8Array(12),
      attributes: [{ type: "fingerprint", value: 0 }],
    },
    { fingerprint: false },
  );
  expect(ask(wrongFingerprint)).toEqual([]);
});

function ask(payload: Uint8Array, config: StunServerConfig = {}): readonly Transmit[] {
  return answerBinding({ local: SERVER, remote: CLIENT, payload }, config);
}

function octets(transmit: Transmit | undefined): string {
  return toHex(transmit?.payload ?? new Uint8Array(0));
}

function damaged(message: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(message);
  copy.set([0xde, 0xad], 4);
  return copy;
}
