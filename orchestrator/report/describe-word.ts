/** What a host's program says of its own path, in a few words. */

import type { HostWord } from "../lab/lab-event.ts";

/** `path direct, 192.168.1.2:5000 → 198.18.0.4:40001` */
export function describeWord({ path, local, remote }: HostWord): string {
  const ends = local === undefined && remote === undefined ? [] : [`${local ?? "?"} → ${remote ?? "?"}`];
  return [...(path === undefined ? [] : [`path ${path}`]), ...ends].join(", ");
}
