/** The numbered requests of UDP echo, as nodes send them and captures show them. */

/** Offset of the sequence number in a request, and length of the shortest request. */
const SEQUENCE_OFFSET = 4;
const MIN_REQUEST_BYTES = 8;
const REQUEST_MAGIC = 0x4d494345;

/** The payload of a request, at least 8 octets. */
export function encodeEchoRequest(sequence: number, sizeBytes: number): Uint8Array {
  const payload = new Uint8Array(Math.max(sizeBytes, MIN_REQUEST_BYTES));
  const view = new DataView(payload.buffer);
  view.setUint32(0, REQUEST_MAGIC);
  view.setUint32(SEQUENCE_OFFSET, sequence);
  return payload;
}

/** The number of a request or of its answer; undefined for any other payload. */
export function echoSequence(payload: Uint8Array): number | undefined {
  if (payload.length < MIN_REQUEST_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return view.getUint32(0) === REQUEST_MAGIC ? view.getUint32(SEQUENCE_OFFSET) : undefined;
}
