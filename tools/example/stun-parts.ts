/** STUN messages, attribute by attribute. */

import { formatSocketAddress } from "../../agent/src/core/address.ts";
import type { StunAttribute } from "../../agent/src/core/stun/attributes.ts";
import { decodeStun, findAttribute } from "../../agent/src/core/stun/message.ts";
import { toHex } from "../../test/vectors/hex.ts";
import type { Part } from "./message.ts";

const HEADER_LENGTH = 20;

/** In ICE terms: requests to a STUN server have no credentials, checks of a pair have. */
export function stunKind(bytes: Uint8Array): string {
  const message = decoded(bytes);
  const isCheck = findAttribute(message, "message-integrity") !== undefined;
  switch (message.class) {
    case "request":
      if (!isCheck) return "Binding request";
      return findAttribute(message, "use-candidate") === undefined ? "check" : "check with USE-CANDIDATE";
    case "success":
      return isCheck ? "answer to a check" : "Binding response";
    case "error":
      return `refusal ${findAttribute(message, "error-code")?.code ?? ""}`;
    case "indication":
      return "keepalive";
  }
}

export function stunParts(bytes: Uint8Array): readonly Part[] {
  const { class: messageClass, transactionId, attributes } = decoded(bytes);
  const meaning = `STUN Binding ${messageClass}, magic cookie, transaction ${toHex(transactionId)}`;
  const parts: Part[] = [{ octets: bytes.subarray(0, HEADER_LENGTH), meaning }];
  let at = HEADER_LENGTH;
  for (const attribute of attributes) {
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = at + 4 + Math.ceil(length / 4) * 4;
    parts.push({ octets: bytes.subarray(at, end), meaning: describe(attribute) });
    at = end;
  }
  return parts;
}

function describe(attribute: StunAttribute): string {
  const name = attribute.type.toUpperCase();
  switch (attribute.type) {
    case "xor-mapped-address":
    case "mapped-address":
    case "response-origin":
    case "other-address":
      return `${name} ${formatSocketAddress(attribute.value)}`;
    case "username":
      return `${name} ${attribute.value}`;
    case "priority":
      return `${name} ${attribute.value}`;
    case "error-code":
      return `${name} ${attribute.value.code} ${attribute.value.reason}`;
    case "ice-controlling":
    case "ice-controlled":
      return `${name}, tie-breaker ${attribute.value.toString(16).padStart(16, "0")}`;
    case "message-integrity":
      return `${name}: HMAC-SHA1 with the password of who is asked`;
    case "fingerprint":
      return `${name}: CRC-32 of all before it`;
    default:
      return name;
  }
}

function decoded(bytes: Uint8Array) {
  const message = decodeStun(bytes);
  if (!message.ok) throw new Error(`the capture holds STUN that cannot be read: ${message.error.code}`);
  return message.value;
}
