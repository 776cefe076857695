/** Big-endian reading and writing of octets. */

/**
 * Reads octets from front to back and never throws.
 *
 * A read past the end returns 0 or no octets, sets `overrun` for good, and does not advance. A decoder can therefore
 * read a fixed layout field by field and check once:
 *
 *     const type = reader.u16();
 *     const cookie = reader.u32();
 *     if (reader.overrun) return malformed("truncated", reader.offset);
 *
 * Loop on `remaining > 0 && !overrun`. `bytes` and `rest` return views into the input: a length taken from the
 * network never allocates anything.
 */
export class ByteReader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #offset: number;
  #overrun = false;

  /** Reads `octets[start, end)`; both default to the whole input and are clamped to it. */
  constructor(octets: Uint8Array, start = 0, end: number = octets.length) {
    // Received Buffers share memory in `slice`; returned views are plain arrays, so that `slice` copies.
    this.#octets = new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#end = Math.min(Math.max(end, 0), octets.length);
    this.#offset = Math.min(Math.max(start, 0), this.#end);
  }

  /** Index of the next octet in the input given to the constructor; after an overrun, where the refused read began. */
  get offset(): number {
    return this.#offset;
  }

  /** Octets left; 0 after an overrun. */
  get remaining(): number {
    return this.#overrun ? 0 : this.#end - this.#offset;
  }

  /** True once a read wanted more octets than were left. */
  get overrun(): boolean {
    return this.#overrun;
  }

  u8(): number {
    const at = this.#advance(1);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#advance(2);
    return at === undefined ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#advance(4);
    return at === undefined ? 0 : this.#view.getUint32(at);
  }

  u64(): bigint {
    const at = this.#advance(8);
    return at === undefined ? 0n : this.#view.getBigUint64(at);
  }

  /** The next `length` octets as a view into the input. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return at === undefined ? new Uint8Array(0) : this.#octets.subarray(at, at + length);
  }

  /** All octets that are left, as a view into the input. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Moves past `length` octets and returns their offset; undefined past the end. */
  #advance(length: number): number | undefined {
    if (this.#overrun || length < 0 || length > this.#end - this.#offset) {
      this.#overrun = true;
      return undefined;
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}

const INITIAL_CAPACITY = 128;

/**
 * Builds a message; grows as needed. A value that does not fit its field is an error of the caller and throws
 * RangeError.
 */
export class ByteWriter {
  #octets = new Uint8Array(INITIAL_CAPACITY);
  #view = new DataView(this.#octets.buffer);
  #length = 0;

  /** Octets written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    requireUnsigned(value, 8);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    requireUnsigned(value, 16);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    requireUnsigned(value, 32);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} does not fit 64 bits`);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  bytes(octets: Uint8Array): this {
    const at = this.#grow(octets.length);
    this.#octets.set(octets, at);
    return this;
  }

  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** Writes zeros until the length is a multiple of `unit`. */
  alignTo(unit: number): this {
    return this.zeros((unit - (this.#length % unit)) % unit);
  }

  /** Overwrites two octets written earlier, such as a length or a checksum. */
  patchU16(at: number, value: number): this {
    requireUnsigned(value, 16);
    if (at < 0 || at + 2 > this.#length) throw new RangeError(`nothing was written at ${at} yet`);
    this.#view.setUint16(at, value);
    return this;
  }

  /** A copy of everything written so far. */
  finish(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }

  /** Makes room for `count` octets, zero, and returns their offset. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#octets.length * 2));
      larger.set(this.#octets.subarray(0, at));
      this.#octets = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

function requireUnsigned(value: number, bits: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)
    throw new RangeError(`${value} does not fit ${bits} bits`);
}
