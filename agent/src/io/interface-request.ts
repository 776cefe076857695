/** Questions and orders about one network interface by ioctl: 20 µs each, where a program takes 2 ms. */

import { NodeFailure } from "./failure.ts";
import { libc } from "./native.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCGIFINDEX = 0x8933;
const SIOCSIFTXQLEN = 0x8943;

/** `struct ifreq`: a name of 16 octets, then one of many values; little-endian on every machine this runs on. */
const IFREQ_LENGTH = 40;
const VALUE_OFFSET = 16;

/** Number of an interface. Throws `setup-failed` like all of these. */
export function interfaceIndex(name: string): number {
  return request(name, SIOCGIFINDEX);
}

export function interfaceMtu(name: string): number {
  return request(name, SIOCGIFMTU);
}

export function setInterfaceMtu(name: string, octets: number): void {
  request(name, SIOCSIFMTU, octets);
}

/** How many packets may wait to leave the interface. */
export function setTransmitQueueLength(name: string, packets: number): void {
  request(name, SIOCSIFTXQLEN, packets);
}

function request(name: string, code: number, value = 0): number {
  const { socket, ioctl, close, errno } = libc();
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    const ifreq = Buffer.alloc(IFREQ_LENGTH);
    ifreq.write(name, "latin1");
    ifreq.writeInt32LE(value, VALUE_OFFSET);
    if (ioctl(fd, code, ifreq) !== -1) return ifreq.readInt32LE(VALUE_OFFSET);
    const message = `the kernel refused request 0x${code.toString(16)} about interface ${name}: errno ${errno()}`;
    throw new NodeFailure("setup-failed", message);
  } finally {
    close(fd);
  }
}
