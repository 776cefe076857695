/** Errors of the environment and of the user's input, as opposed to bugs and to unmet expectations. */

/** Every error code, with the exit code of the program. */
const EXIT_CODES = {
  /** The user's input cannot be used. */
  "bad-usage": 2,
  "unknown-topology": 2,
  "bad-topology": 2,
  /** The machine lacks something, or refuses it. */
  "no-engine": 3,
  "no-permission": 3,
  "no-image": 3,
  "no-program": 3,
  "engine-failed": 3,
  "address-conflict": 3,
  leak: 3,
  "output-failed": 3,
  "setup-failed": 3,
  /** A router of the lab does not behave as the topology declares. */
  "behaviour-mismatch": 3,
  /** A node of the lab failed. */
  "node-failed": 3,
  /** A host's program is not ready, and others wait for it. */
  "host-not-ready": 3,
  "timed-out": 3,
  /** A lab that was up is gone. */
  "lab-ended": 3,
  interrupted: 130,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(EXIT_CODES, word);
}

/** An error from outside this program. `message` says what was expected and found, `hint` what to do. */
export class TestbedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "TestbedError";
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
