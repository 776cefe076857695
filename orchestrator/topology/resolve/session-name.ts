/** Names of sessions, as events, expectations and reports use them. */

import type { Topology } from "../file/topology.ts";

export function sessionName(from: string, to: string): string {
  return `${from}-${to}`;
}

export function sessionNames({ sessions }: Topology): readonly string[] {
  return sessions.map(({ entry }) => sessionName(entry.from, entry.to));
}
