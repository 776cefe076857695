import type { TunFormat } from "../native/tun-format.ts";

/** A frame is a packet. */
export const PLAIN_FORMAT: TunFormat = {
  interfaceFlags: 0,
  offloads: 0,
  packetsOf: (frame) => [frame],
  createWriter: (write) => ({
    push: (packet) => write(packet, packet.length),
    flush: () => undefined,
  }),
};
