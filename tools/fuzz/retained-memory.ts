/** Memory that is still in use after a garbage collection. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collectGarbage: (() => void) | undefined;

/** Octets of the heap of this thread that are reachable. */
export function retainedOctets(): number {
  collectGarbage ??= exposedCollector();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** V8 shows its collector only to contexts made after the flag was set. */
function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
