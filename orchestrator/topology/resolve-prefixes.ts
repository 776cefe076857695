/** Fills in which network stands for a box's inside one, outside of it. */

import { type Family, formatNetwork, parseNetwork } from "./address-text.ts";
import type { Report } from "./issue-list.ts";
import type { TranslatedPrefix } from "./resolved.ts";
import type { RouterEntry } from "./schema.ts";
import type { Topology } from "./topology.ts";

interface Context {
  readonly topology: Topology;
  readonly report: Report;
}

/** The translated prefixes of a box, IPv4 first. */
export function resolvePrefixes(context: Context, name: string, entry: RouterEntry): readonly TranslatedPrefix[] {
  return ([4, 6] as const).flatMap((family) => {
    const text = entry.prefixTranslation?.[`ipv${family}`];
    return text === undefined ? [] : resolvePrefix(context, { name, entry, family, text });
  });
}

interface Wanted {
  readonly name: string;
  readonly entry: RouterEntry;
  readonly family: Family;
  readonly text: string;
}

function resolvePrefix({ topology, report }: Context, { name, entry, family, text }: Wanted): TranslatedPrefix[] {
  const path = ["nodes", name, "prefixTranslation", `ipv${family}`];
  if (family === 4 && entry.nat !== undefined && entry.nat !== "none") {
    report("bad-value", path, "expected one translation of IPv4; found `nat` as well; remove one");
    return [];
  }
  const lans = [entry.lan].flat();
  const insides = lans.flatMap((lan) => topology.segments.get(lan)?.[`ipv${family}`] ?? []);
  const [inside] = insides;
  const outside = parseNetwork(text);
  if (inside === undefined || insides.length > 1) {
    const message = `expected one inside segment with IPv${family}; found ${insides.length}; each network needs an outside network of its own`;
    report("bad-value", path, message);
    return [];
  }
  const { length } = parseNetwork(inside);
  if (length !== outside.length) {
    const message = `expected a /${length} network, as long as ${inside} inside: hosts correspond one to one; found ${text}`;
    report("bad-value", path, message);
    return [];
  }
  return [{ inside: formatNetwork(parseNetwork(inside)), outside: formatNetwork(outside) }];
}
