/** Frames of a TUN device that hold TCP in pieces of up to 64 KiB, with a virtio header before each. */

import type { TunFormat } from "../../native/tun-format.ts";
import { isFastPathEnabled } from "../is-enabled.ts";
import { createJoiner } from "./join.ts";
import { packetsOf } from "./split.ts";

/** A virtio header stands before every packet. */
const IFF_VNET_HDR = 0x4000;

/** The kernel leaves checksums unfinished, and TCP over IPv6 unsegmented. */
const TUN_F_CSUM = 0x01;
const TUN_F_TSO6 = 0x04;

const SEGMENT_FORMAT: TunFormat = {
  interfaceFlags: IFF_VNET_HDR,
  offloads: TUN_F_CSUM | TUN_F_TSO6,
  packetsOf,
  createWriter: createJoiner,
};

/** Undefined where the fast path is switched off. */
export function segmentFormat(): TunFormat | undefined {
  return isFastPathEnabled() ? SEGMENT_FORMAT : undefined;
}
