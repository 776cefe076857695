/**
 * What a node does when started without an orchestrator: it connects once it is registered, retries on failure, and
 * sends echo requests when there is a path, so that its log shows which packets take which path.
 */

import type { NodeEvent } from "../../core/events.ts";

/** Actions that autostart triggers. */
export interface AutostartActions {
  readonly connect: (peer: string) => void;
  /** Sends a few echo requests and logs the result. */
  readonly echo: (peer: string) => void;
  readonly after: (delayMs: number, action: () => void) => void;
}

/** The peer may still be starting; its home agent has no binding until it has registered. */
const RETRY_DELAY_MS = 2000;

const ECHO_INTERVAL_MS = 5000;

/** A listener for the node's events that starts sessions with `peers`; a node that registers nowhere starts at once. */
export function createAutostart(
  peers: readonly string[],
  actions: AutostartActions,
  { registers }: { readonly registers: boolean },
): (event: NodeEvent) => void {
  let hasConnected = !registers;
  if (!registers) for (const peer of peers) actions.after(0, () => actions.connect(peer));
  const withPath = new Set<string>();
  const echoFrom = (peer: string): void => {
    actions.echo(peer);
    actions.after(ECHO_INTERVAL_MS, () => echoFrom(peer));
  };
  return (event) => {
    if (event.type === "registered" && !hasConnected) {
      hasConnected = true;
      for (const peer of peers) actions.connect(peer);
    } else if (event.type === "session-failed" && peers.includes(event.peer)) {
      actions.after(RETRY_DELAY_MS, () => actions.connect(event.peer));
    } else if (event.type === "path" && peers.includes(event.peer) && !withPath.has(event.peer)) {
      withPath.add(event.peer);
      echoFrom(event.peer);
    }
  };
}
