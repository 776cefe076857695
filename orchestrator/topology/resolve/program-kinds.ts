/** Containers start from images, labs of this machine alone start its programs: what the hosts of a topology need. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import type { ResolvedHost, ResolvedNode } from "../model/resolved.ts";

/** `images`: hosts run in containers; `machine`: they are programs of this machine. */
export type ProgramKind = "images" | "machine";

/** What the hosts of a topology need; undefined where it has none. A lab has one kind. */
export function programKindOf(nodes: readonly ResolvedNode[]): ProgramKind | undefined {
  const first = nodes.find(isHost);
  return first === undefined ? undefined : kindOf(first);
}

/** Reports each host that cannot be started beside the others, or where `wanted` is all that there is. */
export function checkProgramKinds(
  topology: Topology,
  nodes: readonly ResolvedNode[],
  wanted: ProgramKind | undefined,
  report: Report,
): void {
  const hosts = nodes.filter(isHost);
  const first = hosts[0];
  if (first === undefined) return;
  const expected = wanted ?? kindOf(first);
  for (const host of hosts.filter((candidate) => kindOf(candidate) !== expected)) {
    const why = wanted === undefined ? `as ${first.name} has: one lab has one kind of them` : RUNTIMES[wanted].why;
    const { needs, advice } = RUNTIMES[expected];
    const found = host.source.type === "machine" ? "a program of this machine" : "an image";
    report(
      "unsupported",
      pathOf(topology, host),
      `expected ${needs} for ${host.name}, ${why}; found ${found}; ${advice}`,
      "key",
    );
  }
}

const RUNTIMES = {
  images: {
    needs: "an image",
    why: "which the docker runtime starts hosts from",
    advice: "give it `image` or `build`, or run with --runtime netns",
  },
  machine: {
    needs: "a program of this machine",
    why: "which the netns runtime starts",
    advice: "give it a `command` without an image, or run with --runtime docker",
  },
} as const satisfies Readonly<Record<ProgramKind, Readonly<Record<string, string>>>>;

function pathOf({ nodes }: Topology, { name }: ResolvedHost): readonly string[] {
  const entry = nodes.get(name);
  const key = ["image", "build"].find((candidate) => entry !== undefined && candidate in entry);
  return ["nodes", name, ...(key === undefined ? [] : [key])];
}

function kindOf({ source }: ResolvedHost): ProgramKind {
  return source.type === "machine" ? "machine" : "images";
}

function isHost(node: ResolvedNode): node is ResolvedHost {
  return node.role === "host";
}
