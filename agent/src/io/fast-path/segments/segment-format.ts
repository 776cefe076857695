/** Frames of a TUN device that hold up to 64 KiB of TCP data, each after a virtio header. */

import type { TunFormat } from "../../native/tun-format.ts";
import { isFastPathEnabled } from "../is-enabled.ts";
import { createJoiner } from "./join.ts";
import { packetsOf } from "./split.ts";

/** A virtio header precedes every packet. */
const IFF_VNET_HDR = 0x4000;

/** The kernel leaves checksums incomplete, and TCP over IPv6 unsegmented. */
const TUN_F_CSUM = 0x01;
const TUN_F_TSO6 = 0x04;

const SEGMENT_FORMAT: TunFormat = {
  interfaceFlags: IFF_VNET_HDR,
  offloads: TUN_F_CSUM | TUN_F_TSO6,
  packetsOf,
  createWriter: createJoiner,
};

/** Undefined where the fast path is off. */
export function segmentFormat(): TunFormat | undefined {
  return isFastPathEnabled() ? SEGMENT_FORMAT : undefined;
}
