/**
 * Numbers as registered at IANA ("Session Traversal Utilities for NAT (STUN) Parameters", STUN Attributes), with the
 * registry's names. Written down from the RFCs named beside them, not from the source under test.
 */
export const IANA_STUN_ATTRIBUTES = [
  { name: "MAPPED-ADDRESS", number: 0x0001 }, // RFC 8489
  { name: "CHANGE-REQUEST", number: 0x0003 }, // RFC 5780
  { name: "USERNAME", number: 0x0006 }, // RFC 8489
  { name: "MESSAGE-INTEGRITY", number: 0x0008 }, // RFC 8489
  { name: "ERROR-CODE", number: 0x0009 }, // RFC 8489
  { name: "UNKNOWN-ATTRIBUTES", number: 0x000a }, // RFC 8489
  { name: "REALM", number: 0x0014 }, // RFC 8489
  { name: "NONCE", number: 0x0015 }, // RFC 8489
  { name: "XOR-MAPPED-ADDRESS", number: 0x0020 }, // RFC 8489
  { name: "PRIORITY", number: 0x0024 }, // RFC 8445
  { name: "USE-CANDIDATE", number: 0x0025 }, // RFC 8445
  { name: "PADDING", number: 0x0026 }, // RFC 5780
  { name: "RESPONSE-PORT", number: 0x0027 }, // RFC 5780
  { name: "SOFTWARE", number: 0x8022 }, // RFC 8489
  { name: "ALTERNATE-SERVER", number: 0x8023 }, // RFC 8489
  { name: "FINGERPRINT", number: 0x8028 }, // RFC 8489
  { name: "ICE-CONTROLLED", number: 0x8029 }, // RFC 8445
  { name: "ICE-CONTROLLING", number: 0x802a }, // RFC 8445
  { name: "RESPONSE-ORIGIN", number: 0x802b }, // RFC 5780
  { name: "OTHER-ADDRESS", number: 0x802c }, // RFC 5780
] as const;
