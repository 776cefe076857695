/** pcap files as agents and other programs write them. */

export interface PcapFrame {
  readonly seconds: number;
  readonly fraction: number;
  readonly bytes: ArrayLike<number> & Iterable<number>;
  readonly originalLength?: number;
}

/** A pcap file as an agent writes it. */
export function pcapFile(frames: readonly PcapFrame[], { littleEndian = true, magic = 0xa1b2c3d4 } = {}): Uint8Array {
  const words = (...values: number[]): number[] => {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => view.setUint32(i * 4, value, littleEndian));
    return [...new Uint8Array(view.buffer)];
  };
  const version = littleEndian ? [2, 0, 4, 0] : [0, 2, 0, 4];
  const header = [...words(magic), ...version, ...words(0, 0, 2048, 1)];
  const records = frames.flatMap(({ seconds, fraction, bytes, originalLength }) => [
    ...words(seconds, fraction, bytes.length, originalLength ?? bytes.length),
    ...bytes,
  ]);
  return Uint8Array.from([...header, ...records]);
}
