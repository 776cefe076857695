/** The input being fed, in memory shared by two threads, so that an input that hangs is not lost. */

const COUNT = 0;
const TARGET = 1;
const LENGTH = 2;
const HEAD_OCTETS = 12;
const MAX_INPUT = 0x1_0000;

export class CurrentInput {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #octets: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD_OCTETS + MAX_INPUT)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, 3);
    this.#octets = new Uint8Array(memory, HEAD_OCTETS);
  }

  /** Inputs so far, modulo 2^31. */
  get count(): number {
    return Atomics.load(this.#head, COUNT);
  }

  write(targetIndex: number, input: Uint8Array): void {
    this.#octets.set(input.subarray(0, MAX_INPUT));
    this.#head[TARGET] = targetIndex;
    this.#head[LENGTH] = Math.min(input.length, MAX_INPUT);
    Atomics.add(this.#head, COUNT, 1);
  }

  read(): { readonly targetIndex: number; readonly input: Uint8Array } {
    const length = this.#head[LENGTH] ?? 0;
    return { targetIndex: this.#head[TARGET] ?? 0, input: new Uint8Array(this.#octets.subarray(0, length)) };
  }
}
