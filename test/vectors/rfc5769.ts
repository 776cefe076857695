/**
 * The test vectors of RFC 5769 (sections 2.1 to 2.4), with what each contains. Checked against
 * draft-ietf-behave-stun-test-vectors-04 and the copy in coturn's `rfc5769check.c`.
 */

import { createHash } from "node:crypto";
import type { StunMessage } from "../../agent/src/core/stun/message.ts";
import { fromHex, fromText } from "./hex.ts";

/** A published message: its octets, the key of its MESSAGE-INTEGRITY, and what it says. */
export interface StunVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly key: Uint8Array;
  readonly hasFingerprint: boolean;
  readonly message: StunMessage;
}

const PASSWORD = fromText("VOkJxbRl1RmTxUk/WvJxBt");
const TRANSACTION_ID = fromHex("b7e7a701 bc34d686 fa87dfae");

/** Section 2.1. Its padding is 0x20, so that an encoder that pads with zeros cannot make it. */
export const SAMPLE_REQUEST: StunVector = {
  name: "2.1 request",
  key: PASSWORD,
  hasFingerprint: true,
  bytes: fromHex(`
    00010058 2112a442 b7e7a701bc34d686fa87dfae
    80220010 5354554e207465737420636c69656e74
    00240004 6e0001ff
    80290008 932ff9b151263b36
    00060009 6576746a3a68367659202020
    00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
    80280004 e57a3bcf`),
  message: {
    class: "request",
    method: 1,
    transactionId: TRANSACTION_ID,
    attributes: [
      { type: "software", value: "STUN test client" },
      { type: "priority", value: 0x6e0001ff },
      { type: "ice-controlled", value: 0x932ff9b151263b36n },
      { type: "username", value: "evtj:h6vY" },
      { type: "message-integrity", value: fromHex("9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2") },
      { type: "fingerprint", value: 0xe57a3bcf },
    ],
  },
};

/** Section 2.2. Its padding is 0x20. */
const SAMPLE_IPV4_RESPONSE: StunVector = {
  name: "2.2 IPv4 response",
  key: PASSWORD,
  hasFingerprint: true,
  bytes: fromHex(`
    0101003c 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220
    00200008 0001a147e112a643
    00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
    80280004 c07d4c96`),
  message: {
    class: "success",
    method: 1,
    transactionId: TRANSACTION_ID,
    attributes: [
      { type: "software", value: "test vector" },
      { type: "xor-mapped-address", value: { ip: "192.0.2.1", port: 32853 } },
      { type: "message-integrity", value: fromHex("2b91f599fd9e90c38c7489f92af9ba53f06be7d7") },
      { type: "fingerprint", value: 0xc07d4c96 },
    ],
  },
};

/** Section 2.3. Its padding is 0x20. */
const SAMPLE_IPV6_RESPONSE: StunVector = {
  name: "2.3 IPv6 response",
  key: PASSWORD,
  hasFingerprint: true,
  bytes: fromHex(`
    01010048 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220
    00200014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9
    00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
    80280004 c8fb0b4c`),
  message: {
    class: "success",
    method: 1,
    transactionId: TRANSACTION_ID,
    attributes: [
      { type: "software", value: "test vector" },
      { type: "xor-mapped-address", value: { ip: "2001:db8:1234:5678:11:2233:4455:6677", port: 32853 } },
      { type: "message-integrity", value: fromHex("a382954e4be67bf11784c97c8292c275bfe3ed41") },
      { type: "fingerprint", value: 0xc8fb0b4c },
    ],
  },
};

/** Section 2.4: long-term authentication, padded with zeros. Its key is MD5(username:realm:password), all SASLprep-ed. */
export const SAMPLE_LONG_TERM_REQUEST: StunVector = {
  name: "2.4 request with long-term authentication",
  key: new Uint8Array(createHash("md5").update("マトリックス:example.org:TheMatrIX").digest()),
  hasFingerprint: false,
  bytes: fromHex(`
    00010060 2112a442 78ad3433c6ad72c029da412e
    00060012 e3839ee38388e383aae38383e382afe382b90000
    0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341
    0014000b 6578616d706c652e6f726700
    00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`),
  message: {
    class: "request",
    method: 1,
    transactionId: fromHex("78ad3433 c6ad72c0 29da412e"),
    attributes: [
      { type: "username", value: "マトリックス" },
      { type: "nonce", value: "f//499k954d6OL34oL9FSTvy64sA" },
      { type: "realm", value: "example.org" },
      { type: "message-integrity", value: fromHex("f67024656dd64a3e02b8e0712e85c9a28ca89666") },
    ],
  },
};

export const RFC_5769_VECTORS: readonly StunVector[] = [
  SAMPLE_REQUEST,
  SAMPLE_IPV4_RESPONSE,
  SAMPLE_IPV6_RESPONSE,
  SAMPLE_LONG_TERM_REQUEST,
];
