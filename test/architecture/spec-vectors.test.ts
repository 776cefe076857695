/** The byte vectors of `agent/SPEC.md`: each is made by the code from what the text says of it, and read by the code. */

import { describe, expect, test } from "vitest";
import {
  decodeMipIce,
  encodeMipIce,
  MISMATCH_ANSWER,
  type MipIceDescription,
} from "../../agent/src/core/mice/option/mip-ice-option.ts";
import { derivedPassword } from "../../agent/src/core/mice/session/key-mode.ts";
import { decodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import {
  type BindingAcknowledgement,
  type BindingUpdate,
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  NO_FLAGS,
} from "../../agent/src/core/mip6/messages.ts";
import type { MobilityEndpoints } from "../../agent/src/core/mip6/mobility-header.ts";
import { ntpTimestamp } from "../../agent/src/core/mip6/ntp-timestamp.ts";
import type { MobilityOption } from "../../agent/src/core/mip6/options.ts";
import { encodeAuthenticated, isAuthentic } from "../../agent/src/core/mip6/registration-authentication.ts";
import {
  bindingManagementKey,
  careOfKeygenToken,
  encodeAuthorized,
  homeKeygenToken,
  isAuthorized,
} from "../../agent/src/core/mip6/return-routability.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { demultiplex } from "../../agent/src/core/node/demultiplex.ts";
import type { StunAttribute } from "../../agent/src/core/stun/attributes.ts";
import { decodeStun, encodeStun, type StunMessage } from "../../agent/src/core/stun/message.ts";
import { hasRightIntegrity } from "../agent/core/stun/received.ts";
import { readSpec } from "../support/spec-document.ts";
import { fromHex, fromText, toHex } from "../vectors/hex.ts";

const { vectors, text } = readSpec();

const L = "2001:db8:a::100";
const R = "2001:db8:b::200";
const HOME_AGENT = "2001:db8:a::1";
const L_TO_R: MobilityEndpoints = { source: L, destination: R };
const R_TO_L: MobilityEndpoints = { source: R, destination: L };

const OFFER: MipIceDescription = {
  isLite: false,
  isMismatch: false,
  credentials: { ufrag: "obLD", pwd: "EBESExQVFhcYGRobHB0eHw" },
  options: [],
  candidates: candidatesOf({ ip: "10.1.0.5", port: 40001 }, { ip: "198.51.100.10", port: 61001 }, L),
  remoteCandidates: [],
};
const ANSWER: MipIceDescription = {
  ...OFFER,
  credentials: { ufrag: "DQ4P", pwd: "QEFCQ0RFRkdISUpLTE1OTw" },
  candidates: candidatesOf({ ip: "192.168.2.7", port: 40002 }, { ip: "203.0.113.20", port: 62002 }, R),
};
const UPDATED_OFFER: MipIceDescription = {
  ...OFFER,
  candidates: OFFER.candidates.slice(1, 2),
  remoteCandidates: [{ ip: "203.0.113.20", port: 62002 }],
};
const UPDATED_ANSWER: MipIceDescription = { ...ANSWER, candidates: ANSWER.candidates.slice(1, 2) };
const DERIVED_KEYS_OFFER: MipIceDescription = {
  ...OFFER,
  credentials: { ufrag: "obLD", pwd: "AAAAAAAAAAAAAAAAAAAAAA" },
  options: ["rrkeys"],
};

const OPTIONS: Readonly<Record<string, MipIceDescription>> = {
  "offer-option": OFFER,
  "answer-option": ANSWER,
  "mismatch-option": MISMATCH_ANSWER,
  "updated-offer-option": UPDATED_OFFER,
  "updated-answer-option": UPDATED_ANSWER,
};

const COOKIE = fromHex("c0c1c2c3c4c5c6c7");
const HOME_COOKIE = fromHex("d0d1d2d3d4d5d6d7");

/** Messages without authenticator. */
const MESSAGES: Readonly<Record<string, { readonly message: MobilityMessage; readonly endpoints: MobilityEndpoints }>> =
  {
    "home-test-init": {
      message: { type: "home-test-init", homeInitCookie: HOME_COOKIE, options: [] },
      endpoints: L_TO_R,
    },
    "home-test": {
      message: {
        type: "home-test",
        homeNonceIndex: 1,
        homeInitCookie: HOME_COOKIE,
        homeKeygenToken: vector("home-token"),
        options: [],
      },
      endpoints: R_TO_L,
    },
    "care-of-test-init-ice": {
      message: { type: "care-of-test-init-ice", careOfInitCookie: COOKIE, options: encodeMipIce(OFFER) },
      endpoints: L_TO_R,
    },
    "care-of-test-ice": {
      message: {
        type: "care-of-test-ice",
        careOfNonceIndex: 1,
        careOfInitCookie: COOKIE,
        careOfKeygenToken: vector("mice-token"),
        options: encodeMipIce(ANSWER),
      },
      endpoints: R_TO_L,
    },
    "derived-keys-care-of-test-init-ice": {
      message: {
        type: "care-of-test-init-ice",
        careOfInitCookie: COOKIE,
        options: [{ type: "nonce-indices", home: 1, careOf: 0 }, ...encodeMipIce(DERIVED_KEYS_OFFER)],
      },
      endpoints: L_TO_R,
    },
    "binding-refresh-request": { message: { type: "binding-refresh-request", options: [] }, endpoints: R_TO_L },
    "binding-error-unknown-type": {
      message: { type: "binding-error", status: 2, homeAddress: "::", options: [] },
      endpoints: R_TO_L,
    },
    "binding-error-unknown-binding": {
      message: { type: "binding-error", status: 1, homeAddress: L, options: [] },
      endpoints: { source: HOME_AGENT, destination: L },
    },
  };

const MICE_CARE_OF: MobilityOption = { type: "alternate-care-of-address", address: "198.51.100.10" };
const FRESH_NONCES: MobilityOption = { type: "nonce-indices", home: 1, careOf: 1 };

/** Messages between mobile node and correspondent with Binding Authorization Data. */
const AUTHORIZED: Readonly<
  Record<
    string,
    {
      readonly message: BindingUpdate | BindingAcknowledgement;
      readonly endpoints: MobilityEndpoints;
      readonly key: Uint8Array;
      readonly careOf: string;
    }
  >
> = {
  "classic-binding-update": {
    message: update(1, 420, [FRESH_NONCES]),
    endpoints: L_TO_R,
    key: vector("kbm"),
    careOf: "2001:db8:c::5",
  },
  "binding-update": {
    message: update(7, 420, [MICE_CARE_OF, FRESH_NONCES]),
    endpoints: L_TO_R,
    key: vector("mice-kbm"),
    careOf: "198.51.100.10",
  },
  "binding-update-with-offer": {
    message: update(8, 420, [MICE_CARE_OF, FRESH_NONCES, ...encodeMipIce(UPDATED_OFFER)]),
    endpoints: L_TO_R,
    key: vector("mice-kbm"),
    careOf: "198.51.100.10",
  },
  "binding-acknowledgement": {
    message: acknowledgement(7, 420, []),
    endpoints: R_TO_L,
    key: vector("mice-kbm"),
    careOf: "198.51.100.10",
  },
  "binding-acknowledgement-with-answer": {
    message: acknowledgement(8, 420, encodeMipIce(UPDATED_ANSWER)),
    endpoints: R_TO_L,
    key: vector("mice-kbm"),
    careOf: "198.51.100.10",
  },
  "binding-update-deletion": {
    message: update(9, 0, [
      { type: "alternate-care-of-address", address: L },
      { type: "nonce-indices", home: 1, careOf: 0 },
    ]),
    endpoints: L_TO_R,
    key: vector("kbm-deletion"),
    careOf: L,
  },
};

/** Half a second after noon of 9 July 2007. */
const NOON: MobilityOption = {
  type: "replay-protection",
  timestamp: ntpTimestamp(Date.UTC(2007, 6, 9, 12, 0, 0, 500)),
};

/** Messages between mobile node and home agent with the authentication option. */
const AUTHENTICATED: Readonly<
  Record<string, { readonly message: BindingUpdate | BindingAcknowledgement; readonly endpoints: MobilityEndpoints }>
> = {
  "registration-update": {
    message: {
      ...update(1, 600, [{ type: "ipv4-care-of-address", address: "10.1.0.5" }, NOON]),
      flags: { ...NO_FLAGS, acknowledge: true, homeRegistration: true },
    },
    endpoints: { source: L, destination: HOME_AGENT },
  },
  "registration-acknowledgement": {
    message: acknowledgement(1, 600, [{ type: "nat-detection", forceUdp: false, refreshSec: 110 }, NOON]),
    endpoints: { source: HOME_AGENT, destination: L },
  },
};
const REGISTRATION = { key: fromHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"), careOf: "10.1.0.5", homeAddress: L };

const CHECK_ATTRIBUTES: readonly StunAttribute[] = [
  { type: "username", value: "DQ4P:obLD" },
  { type: "priority", value: 0x6effffff },
  { type: "ice-controlling", value: 0x0011223344556677n },
];
const KEY_OF_R = fromText(ANSWER.credentials.pwd);

const STUN: Readonly<
  Record<string, Pick<StunMessage, "class" | "attributes"> & { readonly key: Uint8Array | undefined }>
> = {
  check: { class: "request", attributes: CHECK_ATTRIBUTES, key: KEY_OF_R },
  "check-nominating": {
    class: "request",
    attributes: [...CHECK_ATTRIBUTES, { type: "use-candidate", value: true }],
    key: KEY_OF_R,
  },
  "check-success": {
    class: "success",
    attributes: [{ type: "xor-mapped-address", value: { ip: "198.51.100.10", port: 61001 } }],
    key: KEY_OF_R,
  },
  "check-role-conflict": { class: "error", attributes: [errorCode(487, "Role Conflict")], key: KEY_OF_R },
  "check-bad-request": { class: "error", attributes: [errorCode(400, "Bad Request")], key: undefined },
  "check-unauthorized": { class: "error", attributes: [errorCode(401, "Unauthorized")], key: undefined },
  keepalive: { class: "indication", attributes: [], key: undefined },
  "request-fingerprinted": { class: "request", attributes: [], key: undefined },
};

const KEYS: Readonly<Record<string, () => Uint8Array>> = {
  "home-token": () => homeKeygenToken(vector("node-key"), L, vector("nonce")),
  "care-of-token": () => careOfKeygenToken(vector("node-key"), "2001:db8:c::5", vector("nonce")),
  kbm: () => bindingManagementKey(vector("home-token"), vector("care-of-token")),
  "kbm-deletion": () => bindingManagementKey(vector("home-token")),
  "mice-token": () => careOfKeygenToken(vector("node-key"), L, vector("nonce")),
  "mice-kbm": () => bindingManagementKey(vector("home-token"), vector("mice-token")),
};

const KINDS: Readonly<Record<string, string>> = {
  "home-test-like-stun": "mobility-header",
  "binding-update-like-stun": "mobility-header",
  "request-bare": "unknown",
  "request-fingerprinted": "stun",
  check: "stun",
  "relayed-check": "ipv6",
};

test("every vector is checked here, and only vectors of SPEC.md are", () => {
  const inputs = ["node-key", "nonce"];
  const checked = [
    inputs,
    ...[OPTIONS, MESSAGES, AUTHORIZED, AUTHENTICATED, STUN, KEYS, KINDS].map(Object.keys),
  ].flat();
  expect([...new Set(checked)].toSorted()).toEqual([...vectors.keys()].toSorted());
});

describe("MIP-ICE options", () => {
  test.each(Object.entries(OPTIONS))("%s", (name, description) => {
    const [option] = encodeMipIce(description);
    const octets = vector(name);
    expect(option && toHex(Uint8Array.of(option.optionType, option.data.length, ...option.data))).toBe(toHex(octets));
    const received = { type: "opaque", optionType: 18, data: octets.subarray(2) } as const;
    expect(decodeMipIce([received])).toEqual({ ok: true, value: { description, skipped: [] } });
  });
});

describe("Mobility Headers", () => {
  test.each(Object.entries(MESSAGES))("%s", (name, { message, endpoints }) => {
    expect(toHex(encodeMobilityMessage(message, endpoints))).toBe(toHex(vector(name)));
    expect(decodeMobilityMessage(vector(name), endpoints)).toEqual({ ok: true, value: message });
  });

  test.each(Object.entries(AUTHORIZED))("%s", (name, { message, endpoints, key, careOf }) => {
    const authorization = { key, careOf, correspondent: R };
    expect(toHex(encodeAuthorized(message, endpoints, authorization))).toBe(toHex(vector(name)));
    expect(isAuthorized(vector(name), authorization)).toBe(true);
    expect(decodeMobilityMessage(vector(name), endpoints).ok).toBe(true);
  });

  test.each(Object.entries(AUTHENTICATED))("%s", (name, { message, endpoints }) => {
    expect(toHex(encodeAuthenticated(message, endpoints, REGISTRATION))).toBe(toHex(vector(name)));
    expect(isAuthentic(vector(name), REGISTRATION)).toBe(true);
    expect(decodeMobilityMessage(vector(name), endpoints).ok).toBe(true);
  });
});

describe("STUN", () => {
  test.each(Object.entries(STUN))("%s", (name, { class: messageClass, attributes, key }) => {
    const message = { class: messageClass, method: 1, transactionId: fromHex("000102030405060708090a0b"), attributes };
    expect(toHex(encodeStun(message, { key, fingerprint: true }))).toBe(toHex(vector(name)));
    expect(decodeStun(vector(name)).ok).toBe(true);
    if (key !== undefined) expect(hasRightIntegrity(vector(name), key)).toBe(true);
  });

  test("the relayed check is the check in UDP in IPv6", () => {
    const datagram = {
      source: { ip: L, port: 40001 },
      destination: { ip: R, port: 40002 },
      payload: vector("check"),
    };
    expect(toHex(encodeUdpInIpv6(datagram))).toBe(toHex(vector("relayed-check")));
    const packet = decodeIpv6Packet(vector("relayed-check"));
    expect(packet.ok && decodeUdpInIpv6(packet.value)).toEqual({ ok: true, value: datagram });
  });
});

test.each(Object.entries(KEYS))("return routability: %s", (name, make) => {
  expect(toHex(make())).toBe(toHex(vector(name)));
});

test.each([
  { end: "offer", whose: "offerer" },
  { end: "answer", whose: "answerer" },
] as const)("the derived password of the $whose is the one in the text", ({ end, whose }) => {
  const password = derivedPassword(vector("mice-kbm"), end, { offer: "obLD", answer: "DQ4P" });
  expect(text.replace(/\s+/g, " ")).toContain(`\`${password}\` (${whose})`);
});

test.each(Object.entries(KINDS))("demultiplexing: %s is %s", (name, kind) => {
  expect(demultiplex(vector(name)).kind).toBe(kind);
});

function vector(name: string): Uint8Array {
  const octets = vectors.get(name);
  if (octets === undefined) throw new Error(`SPEC.md has no vector ${name}`);
  return octets;
}

/** Host, server-reflexive and relayed candidate of one node. */
function candidatesOf(
  host: { readonly ip: string; readonly port: number },
  mapped: { readonly ip: string; readonly port: number },
  homeAddress: string,
): MipIceDescription["candidates"] {
  return [
    { type: "host", address: host, priority: 2130706431 },
    { type: "server-reflexive", address: mapped, priority: 1694498815, related: host },
    { type: "relayed", address: { ip: homeAddress, port: host.port }, priority: 16777215, related: mapped },
  ];
}

function update(sequence: number, lifetimeSec: number, options: readonly MobilityOption[]): BindingUpdate {
  return { type: "binding-update", sequence, flags: { ...NO_FLAGS, acknowledge: true }, lifetimeSec, options };
}

function acknowledgement(
  sequence: number,
  lifetimeSec: number,
  options: readonly MobilityOption[],
): BindingAcknowledgement {
  return { type: "binding-acknowledgement", status: 0, keyManagement: false, sequence, lifetimeSec, options };
}

function errorCode(code: number, reason: string): StunAttribute {
  return { type: "error-code", value: { code, reason } };
}
