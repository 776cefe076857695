/** Queries about one network interface by ioctl: 20 µs each, where a program takes 2 ms. */

import { NodeFailure } from "../failure.ts";
import { libc } from "./native.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFMTU = 0x8921;
const SIOCGIFINDEX = 0x8933;

/** `struct ifreq`: a name of 16 octets, then a union; little-endian on every supported machine. */
const IFREQ_LENGTH = 40;
const VALUE_OFFSET = 16;

/** Index of an interface. Throws `setup-failed`, as do all of these. */
export function interfaceIndex(name: string): number {
  return request(name, SIOCGIFINDEX);
}

export function interfaceMtu(name: string): number {
  return request(name, SIOCGIFMTU);
}

function request(name: string, code: number): number {
  const { socket, ioctl, close, errno } = libc();
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    const ifreq = Buffer.alloc(IFREQ_LENGTH);
    ifreq.write(name, "latin1");
    if (ioctl(fd, code, ifreq) !== -1) return ifreq.readInt32LE(VALUE_OFFSET);
    const message = `the kernel refused request 0x${code.toString(16)} about interface ${name}: errno ${errno()}`;
    throw new NodeFailure("setup-failed", message);
  } finally {
    close(fd);
  }
}
