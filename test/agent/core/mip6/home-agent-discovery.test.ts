import { expect, test } from "vitest";
import { createHomeAgent } from "../../../../agent/src/core/mip6/home-agent.ts";
import { decodeStun, encodeStun, findAttribute } from "../../../../agent/src/core/stun/message.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";

const [IP, ALTERNATE] = ["198.18.0.2", "198.18.0.254"] as const;
const CLIENT = { ip: "198.18.0.4", port: 61_001 };

const agent = () =>
  createHomeAgent(
    {
      address: "2001:db8:a::1",
      homePrefix: "2001:db8:a::/64",
      tunnelSockets: [{ ip: IP, port: 4191 }],
      stunSockets: [IP, ALTERNATE].flatMap((ip) => [3478, 3479].map((port) => ({ ip, port }))),
      discovery: [{ ips: [IP, ALTERNATE], ports: [3478, 3479] }],
    },
    seededRng(1),
  );

const CHANGE_BOTH = [{ type: "change-request", value: { changeIp: true, changePort: true } }] as const;

test("a home agent with a second address answers from the other address and port, and names them", () => {
  const node = agent();
  const request = { class: "request", method: 1, transactionId: new Uint8Array(12), attributes: CHANGE_BOTH } as const;
  node.handleDatagram(0, {
    local: { ip: IP, port: 3478 },
    remote: CLIENT,
    payload: encodeStun(request, { fingerprint: false }),
  });
  const answer = node.pollTransmit();
  expect(answer).toMatchObject({ local: { ip: ALTERNATE, port: 3479 }, remote: CLIENT });
  const message = decodeStun(answer?.payload ?? new Uint8Array());
  expect(message.ok && findAttribute(message.value, "other-address")).toEqual({ ip: ALTERNATE, port: 3479 });
});

test("on the tunnel's port there is nothing to discover", () => {
  const node = agent();
  const request = { class: "request", method: 1, transactionId: new Uint8Array(12), attributes: CHANGE_BOTH } as const;
  const payload = encodeStun(request, { fingerprint: true });
  node.handleDatagram(0, { local: { ip: IP, port: 4191 }, remote: CLIENT, payload });
  const message = decodeStun(node.pollTransmit()?.payload ?? new Uint8Array());
  expect(message.ok && findAttribute(message.value, "error-code")).toMatchObject({ code: 420 });
});
