/** Checks the order in which hosts start: whom one waits for has a program, and does not wait for it in turn. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { expectNode } from "./expect-name.ts";

export function checkStartOrder(topology: Topology, report: Report): void {
  const before = startsAfter(topology);
  for (const [name, others] of before) {
    others.forEach((other, i) => {
      const path = ["nodes", name, "startAfter", i];
      if (!expectNode(topology, other, ["host"], path, report)) return;
      const circle = wayBack(before, name, other);
      if (circle === undefined) return;
      const message = `expected a host that starts before ${name}; found a circle: ${[name, ...circle].join(" waits for ")}; remove one of them`;
      report("bad-value", path, message);
    });
  }
}

function startsAfter({ nodes }: Topology): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...nodes].map(([name, entry]) => [name, entry.role === "host" ? (entry.startAfter ?? []) : []] as const),
  );
}

/** The names from `next` to `name` along those that each waits for; undefined where no way leads there. */
function wayBack(
  before: ReadonlyMap<string, readonly string[]>,
  name: string,
  next: string,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways: (readonly string[])[] = [[next]];
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1) ?? "";
    if (last === name) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const other of before.get(last) ?? []) ways.push([...way, other]);
  }
  return undefined;
}
