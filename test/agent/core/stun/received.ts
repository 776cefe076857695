/** Octets as the agent receives them: split only, or also verified and decoded. */

import type { Datagram } from "../../../../agent/src/core/machine.ts";
import { verifyFingerprint } from "../../../../agent/src/core/stun/fingerprint.ts";
import { frameStun } from "../../../../agent/src/core/stun/frame.ts";
import { verifyIntegrity } from "../../../../agent/src/core/stun/integrity.ts";
import { decodeMessage } from "../../../../agent/src/core/stun/message.ts";
import { receiveStun, type StunDatagram } from "../../../../agent/src/core/stun/receive.ts";

/** A datagram as passed on by a demultiplexer; throws when it is not passed on. */
export function stunDatagram({ local, remote, payload }: Datagram): StunDatagram {
  const received = receiveStun(payload, { requireFingerprint: true });
  if (received.kind !== "stun") throw new Error(`expected a STUN message, found ${received.reason}`);
  return { local, remote, message: received.message, frame: received.frame };
}

/** The same for arbitrary octets, ignoring FINGERPRINT; undefined when they cannot be decoded. */
export function decodableStun({ local, remote, payload }: Datagram): StunDatagram | undefined {
  const frame = frameStun(payload);
  const message = frame.ok ? decodeMessage(frame.value) : frame;
  return frame.ok && message.ok ? { local, remote, message: message.value, frame: frame.value } : undefined;
}

/** True when the octets are a STUN message that ends with a valid FINGERPRINT. */
export function hasRightFingerprint(bytes: Uint8Array): boolean {
  const frame = frameStun(bytes);
  return frame.ok && verifyFingerprint(frame.value);
}

/** True when the octets are a STUN message whose MESSAGE-INTEGRITY is valid for the key. */
export function hasRightIntegrity(bytes: Uint8Array, key: Uint8Array): boolean {
  const frame = frameStun(bytes);
  return frame.ok && verifyIntegrity(frame.value, key);
}
