/** Random STUN messages for property tests. */

import fc from "fast-check";
import { addressFromBytes } from "../../../../agent/src/core/address.ts";
import { ATTRIBUTE_NUMBERS, attributeNumber, type StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import type { StunMessage } from "../../../../agent/src/core/stun/message.ts";

/** Any well-formed message that survives a round trip: no attribute twice, nothing after the integrity attributes. */
export function stunMessages(): fc.Arbitrary<StunMessage> {
  return fc.record({
    class: fc.constantFrom("request", "indication", "success", "error"),
    method: fc.nat(0xfff),
    transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    attributes: fc.uniqueArray(stunAttributes(), { selector: attributeNumber, maxLength: 12 }),
  });
}

/** Any attribute except the two whose position in the message matters. */
function stunAttributes(): fc.Arbitrary<StunAttribute> {
  return fc.oneof(
    fc.record({ type: fc.constantFrom(...ADDRESS_TYPES), value: socketAddresses() }),
    fc.record({ type: fc.constantFrom("username", "realm", "nonce", "software"), value: texts() }),
    fc.record({
      type: fc.constant("error-code"),
      value: fc.record({ code: fc.integer({ min: 300, max: 699 }), reason: texts() }),
    }),
    fc.record({ type: fc.constant("unknown-attributes"), value: fc.array(fc.nat(0xffff), { maxLength: 9 }) }),
    fc.record({ type: fc.constant("priority"), value: fc.nat(0xffffffff) }),
    fc.record({ type: fc.constant("use-candidate"), value: fc.constant(true as const) }),
    fc.record({ type: fc.constant("padding"), value: fc.nat(2000) }),
    fc.record({ type: fc.constant("response-port"), value: fc.nat(0xffff) }),
    fc.record({
      type: fc.constant("change-request"),
      value: fc.record({ changeIp: fc.boolean(), changePort: fc.boolean() }),
    }),
    fc.record({
      type: fc.constantFrom("ice-controlled", "ice-controlling"),
      value: fc.bigInt(0n, 2n ** 64n - 1n),
    }),
    fc.record({
      type: fc.constant("unknown"),
      number: fc.nat(0xffff).filter((number) => !KNOWN_NUMBERS.has(number)),
      value: fc.uint8Array({ maxLength: 40 }),
    }),
  );
}

const ADDRESS_TYPES = [
  "mapped-address",
  "xor-mapped-address",
  "response-origin",
  "other-address",
  "alternate-server",
] as const;

const KNOWN_NUMBERS: ReadonlySet<number> = new Set(Object.values(ATTRIBUTE_NUMBERS));

function socketAddresses() {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  return fc.record({ ip: octets.map(addressFromBytes), port: fc.nat(0xffff) });
}

/** Text with multi-byte characters, short enough for every attribute; `grapheme` yields no lone surrogates. */
function texts(): fc.Arbitrary<string> {
  return fc.string({ unit: "grapheme", maxLength: 40 });
}
