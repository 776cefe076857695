/** Assigns every segment the name that its interfaces have in the nodes. */

/** IFNAMSIZ less the terminating zero. */
const LONGEST_NAME = 15;

/** Names that the kernel, the engine or the agent use; Node's list of interfaces has no room for `constructor`. */
const RESERVED = /^(lo|all|default|eth\d*|tun.*|mip.*|mice.*|constructor)$/;

/** Interface names by segment name: the segment's name, shortened if too long; unique. */
export function interfaceNames(segments: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const segment of segments) names.set(segment, freeName(segment, new Set(names.values())));
  return names;
}

function freeName(segment: string, taken: ReadonlySet<string>): string {
  const wanted = (RESERVED.test(segment) ? `net-${segment}` : segment).slice(0, LONGEST_NAME).replace(/-+$/, "");
  for (let i = 1; ; i += 1) {
    const suffix = i === 1 ? "" : `-${i}`;
    const name = wanted.slice(0, LONGEST_NAME - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}
