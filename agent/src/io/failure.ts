/** What stops a node: reported to the orchestrator as `fatal`, after which the process ends. */

/** Every reason for which a node stops by itself. */
export type FailureCode =
  /** The set-up or a command is invalid for the control channel or the node's role. */
  | "bad-setup"
  | "bad-command"
  /** The process would reconfigure a network that is not its own. */
  | "not-isolated"
  /** The kernel refused an interface, an address or a route. */
  | "setup-failed"
  /** A rule loader refused its text. */
  | "bad-rules"
  /** The node can reach something outside the lab. */
  | "leak"
  /** An interface of the node has gone. */
  | "segment-lost"
  | "capture-failed"
  | "tun-failed"
  /** A daemon of the node ended before the lab, or did not start. */
  | "daemon-failed"
  | "socket-failed";

/** A failure with its code; `message` says what was expected, what was found, and during which step. */
export class NodeFailure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = "NodeFailure";
    this.code = code;
  }
}
