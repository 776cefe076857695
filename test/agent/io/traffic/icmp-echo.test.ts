import { describe, expect, test } from "vitest";
import { hasValidChecksum } from "../../../../agent/src/core/checksum.ts";
import { encodeEchoRequest, readEchoReply } from "../../../../agent/src/io/traffic/icmp-echo.ts";

const IDENTIFIER = 0x1234;

/** The answer: the request with the type of a reply, after an IP header for IPv4. */
function reply(family: 4 | 6, identifier: number, sequence: number): Uint8Array {
  const message = Buffer.from(encodeEchoRequest(family, identifier, sequence));
  message[0] = family === 4 ? 0 : 129;
  return family === 4 ? Buffer.concat([Buffer.from("45".padEnd(40, "0"), "hex"), message]) : message;
}

test("a request has type, identifier, sequence number, and for IPv4 its checksum", () => {
  expect(Buffer.from(encodeEchoRequest(6, IDENTIFIER, 7)).toString("hex")).toBe(`8000000012340007${"00".repeat(56)}`);
  expect(Buffer.from(encodeEchoRequest(4, IDENTIFIER, 7).subarray(0, 8)).toString("hex")).toBe("0800e5c412340007");
  expect(hasValidChecksum(encodeEchoRequest(4, IDENTIFIER, 7))).toBe(true);
});

describe.each([4, 6] as const)("with IPv%d", (family) => {
  test("a reply gives its sequence number", () => {
    expect(readEchoReply(family, reply(family, IDENTIFIER, 65535), IDENTIFIER)).toBe(65535);
  });

  test("replies to others, requests and packets cut short give nothing", () => {
    expect(readEchoReply(family, reply(family, IDENTIFIER + 1, 1), IDENTIFIER)).toBeUndefined();
    expect(readEchoReply(family, encodeEchoRequest(family, IDENTIFIER, 1), IDENTIFIER)).toBeUndefined();
    const whole = reply(family, IDENTIFIER, 1);
    const needed = family === 4 ? 28 : 8;
    for (let length = 0; length < needed; length += 1)
      expect(readEchoReply(family, whole.subarray(0, length), IDENTIFIER)).toBeUndefined();
  });
});
