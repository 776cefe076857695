/** What the owner of a lab answers. */

import { setTimeout as sleep } from "node:timers/promises";
import type { LiveLab } from "../lab/live-lab.ts";
import { statusOf } from "../report/lab-status.ts";
import { TestbedError } from "../support/errors.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { Answer } from "./owner-socket.ts";

export interface OwnedLab {
  readonly topology: ResolvedTopology;
  readonly lab: LiveLab;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the lab; resolves with what could not be removed, one line each. */
  readonly end: () => Promise<readonly string[]>;
}

/** What a node has written since the last piece. */
export interface LogPiece {
  readonly node: string;
  readonly text: string;
}

/** How often a log that is followed is looked at. */
const LOG_INTERVAL_MS = 200;

export function answerFor(owned: OwnedLab): Answer {
  return (request, signal) => {
    switch (request.type) {
      case "status":
        return one(statusOf(owned.topology, owned.lab.events, owned.now()));
      case "logs":
        return logs(owned, request.nodes, request.follow ? signal : undefined);
      case "end":
        return ended(owned);
    }
  };
}

async function* one<T>(value: T): AsyncGenerator<T, void> {
  yield await Promise.resolve(value);
}

async function* ended({ end }: OwnedLab): AsyncGenerator<readonly string[], void> {
  yield await end();
}

/** Whole logs, and with `following` what is added to them until it is aborted. */
async function* logs(
  { topology, lab }: OwnedLab,
  wanted: readonly string[],
  following: AbortSignal | undefined,
): AsyncGenerator<LogPiece, void> {
  const names = topology.nodes.map(({ name }) => name);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new TestbedError("bad-usage", `the lab has no node ${unknown.join(", ")}`, {
      hint: `its nodes are ${names.join(", ")}`,
    });
  }
  const told = new Map<string, number>();
  for (;;) {
    for (const node of wanted.length === 0 ? names : wanted) {
      const log = lab.log(node) ?? "";
      const text = log.slice(told.get(node) ?? 0);
      told.set(node, log.length);
      if (text !== "") yield { node, text };
    }
    if (following === undefined || following.aborted) return;
    await sleep(LOG_INTERVAL_MS);
  }
}
