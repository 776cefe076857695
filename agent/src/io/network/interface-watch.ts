/** Notices interfaces that go: deleted, set down, or without a carrier because the other end of their cable is. */

import { readFileSync } from "node:fs";
import { NodeFailure } from "../failure.ts";

const LOOK_EVERY_MS = 500;

/** How often in a row an interface must be found wrong: a change of its state takes several steps. */
const LOOKS = 2;

/** An interface that is up, by its present name. */
export interface WatchedInterface {
  readonly segment: string;
  readonly name: string;
}

/** Calls `onLost` with a `segment-lost` when one of the interfaces goes. Returns how to stop. */
export function watchInterfaces(
  interfaces: readonly WatchedInterface[],
  onLost: (failure: NodeFailure) => void,
): () => void {
  const looks = new Map<string, number>();
  const timer = setInterval(() => {
    for (const { segment, name } of interfaces) {
      const problem = problemOf(name);
      const inARow = problem === undefined ? 0 : (looks.get(name) ?? 0) + 1;
      looks.set(name, inARow);
      if (problem === undefined || inARow < LOOKS) continue;
      clearInterval(timer);
      const message = `expected to stay on the segment ${segment}, found its interface ${name} ${problem}`;
      onLost(new NodeFailure("segment-lost", message));
      return;
    }
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/** The kernel refuses to tell the carrier of an interface that is down (EINVAL). */
function problemOf(name: string): string | undefined {
  try {
    return readFileSync(`/sys/class/net/${name}/carrier`, "latin1").startsWith("1") ? undefined : "without a carrier";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "gone" : "down";
  }
}
