/**
 * Turns transmit checksum offload off, so that frames on a segment carry real checksums: a veth pair would pass the
 * unfinished ones along, and every capture would show them as wrong. Segmentation offload goes with it.
 *
 * One ioctl takes 0.02 to 0.3 ms; starting ethtool for it takes 1.4 ms and needs ethtool.
 */

import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;

/** Length of `struct ifreq` and where its pointer lies; 64-bit and little-endian on every machine this runs on. */
const IFREQ_LENGTH = 40;
const IFREQ_DATA_OFFSET = 16;

/** Turns offload off on interfaces that exist. Throws `setup-failed` when the driver refuses. */
export function disableTransmitChecksumOffload(interfaceNames: readonly string[]): void {
  const { socket, ioctl, close, errno, addressOf } = libc();
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    for (const name of interfaceNames) {
      // struct ethtool_value: the command, then 0 for off.
      const value = Buffer.alloc(8);
      value.writeUInt32LE(ETHTOOL_STXCSUM, 0);
      const request = Buffer.alloc(IFREQ_LENGTH);
      request.write(name, "latin1");
      request.writeBigUInt64LE(addressOf(value), IFREQ_DATA_OFFSET);
      if (ioctl(fd, SIOCETHTOOL, request) === -1) {
        throw new NodeFailure(
          "setup-failed",
          `${name}: transmit checksum offload cannot be turned off: errno ${errno()}`,
        );
      }
    }
  } finally {
    close(fd);
  }
}
