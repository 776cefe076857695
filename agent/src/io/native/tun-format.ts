/** The format of the frames that pass between a TUN device and this process. */
export interface TunFormat {
  /** Flags for TUNSETIFF beside IFF_TUN and IFF_NO_PI. */
  readonly interfaceFlags: number;
  /** Features for TUNSETOFFLOAD: what the kernel may leave incomplete in a frame. */
  readonly offloads: number;
  /** The packets in a frame that was read; none in a malformed one. */
  packetsOf(frame: Uint8Array): readonly Uint8Array[];
  /** `write` passes the first `length` octets of a frame to the kernel. */
  createWriter(write: (frame: Uint8Array, length: number) => void): TunWriter;
}

export interface TunWriter {
  /** Writes a packet by the next `flush`, in order. */
  push(packet: Uint8Array): void;
  flush(): void;
}
