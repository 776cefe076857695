import { expect, test } from "vitest";
import { createStunServer } from "../../../../agent/src/core/node/stun-node.ts";
import { decodeStun, encodeStun, findAttribute } from "../../../../agent/src/core/stun/message.ts";

const FIRST = { ip: "198.18.0.2", port: 3478 };
const SECOND = { ip: "198.18.0.254", port: 3479 };
const CLIENT = { ip: "198.18.0.9", port: 50_000 };

const CONFIG = {
  discovery: [{ ips: [FIRST.ip, SECOND.ip], ports: [FIRST.port, SECOND.port] } as const],
};

test("a STUN server node answers from where it is asked to, and counts", () => {
  const node = createStunServer(CONFIG);
  const transactionId = new Uint8Array(12);
  const attributes = [{ type: "change-request", value: { changeIp: true, changePort: true } }] as const;
  const payload = encodeStun({ class: "request", method: 1, transactionId, attributes }, { fingerprint: true });
  node.start(0);
  node.handleDatagram(0, { local: FIRST, remote: CLIENT, payload });
  const answer = node.pollTransmit();
  expect(answer).toMatchObject({ local: SECOND, remote: CLIENT });
  const message = decodeStun(answer?.payload ?? new Uint8Array());
  expect(message.ok && findAttribute(message.value, "xor-mapped-address")).toEqual(CLIENT);
  expect(node.pollTransmit()).toBeUndefined();
  expect(node.pollTimeout()).toBeUndefined();

  node.handleDatagram(1, { local: FIRST, remote: CLIENT, payload: Uint8Array.of(1, 2, 3) });
  expect(node.counters()).toEqual({ "answered.stun": 1, "dropped.stun": 1 });
});
