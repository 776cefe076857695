/** Reads pcap files: draft-ietf-opsawg-pcap (magic, 24-octet header, 16-octet record headers). */

export interface CapturedPacket {
  readonly timeNs: bigint;
  /** Length on the wire; `frame` may hold less. */
  readonly originalLength: number;
  readonly frame: Uint8Array;
}

const PCAP_HEADER_LENGTH = 24;
const PCAP_RECORD_HEADER_LENGTH = 16;
const MICROSECONDS_MAGIC = 0xa1b2c3d4;
const NANOSECONDS_MAGIC = 0xa1b23c4d;

/** Reads whole records up to the first truncated one; bytes that are not a pcap file yield no packets. */
export function readPcap(bytes: Uint8Array): CapturedPacket[] {
  if (bytes.length < PCAP_HEADER_LENGTH) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const littleEndian = [MICROSECONDS_MAGIC, NANOSECONDS_MAGIC].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, littleEndian);
  if (magic !== MICROSECONDS_MAGIC && magic !== NANOSECONDS_MAGIC) return [];
  const fractionNs = magic === NANOSECONDS_MAGIC ? 1n : 1000n;
  const packets: CapturedPacket[] = [];
  let offset = PCAP_HEADER_LENGTH;
  while (offset + PCAP_RECORD_HEADER_LENGTH <= bytes.length) {
    const [seconds, fraction, captured, original] = [0, 4, 8, 12].map((at) =>
      view.getUint32(offset + at, littleEndian),
    );
    const start = offset + PCAP_RECORD_HEADER_LENGTH;
    const end = start + (captured ?? 0);
    if (end > bytes.length) break;
    packets.push({
      timeNs: BigInt(seconds ?? 0) * 1_000_000_000n + BigInt(fraction ?? 0) * fractionNs,
      originalLength: original ?? 0,
      frame: bytes.subarray(start, end),
    });
    offset = end;
  }
  return packets;
}
