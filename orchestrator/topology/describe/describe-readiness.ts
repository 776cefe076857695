/** What shows that a host's program is ready, as a phrase after `expected`. */

import type { Readiness } from "../model/resolved.ts";

export function describeReadiness(ready: Readiness): string {
  switch (ready.type) {
    case "output":
      return `a line of output with ${ready.pattern}`;
    case "exit":
      return "its program to end with exit code 0";
    case "tcp":
      return `its program to listen on TCP port ${ready.port}`;
    case "udp":
      return `its program to have bound UDP port ${ready.port}`;
  }
}
