/** Resolves the prefix translations of a router. */

import type { Report } from "../file/issue-list.ts";
import type { RouterEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { type Family, formatNetwork, parseNetwork } from "../model/address-text.ts";
import { forbiddenReason } from "../model/forbidden.ts";
import type { TranslatedPrefix } from "../model/resolved.ts";
import { hasNat } from "./attachment.ts";

interface Context {
  readonly topology: Topology;
  readonly report: Report;
}

/** The translated prefixes of a router, IPv4 first, at most one of each IP version. */
export function resolvePrefixes(context: Context, name: string, entry: RouterEntry): readonly TranslatedPrefix[] {
  return ([4, 6] as const).flatMap((family) => {
    const text = entry.prefixTranslation?.[`ipv${family}`];
    if (text === undefined) return [];
    const inside = insideNetworks(context, entry, family);
    const problem = problemOf(context, { entry, family, text, inside });
    if (problem !== undefined)
      context.report("bad-value", ["nodes", name, "prefixTranslation", `ipv${family}`], problem);
    return inside.map((network) => ({ inside: formatNetwork(parseNetwork(network)), outside: canonical(text) }));
  });
}

interface Wanted {
  readonly entry: RouterEntry;
  readonly family: Family;
  readonly text: string;
  readonly inside: readonly string[];
}

/** Why the prefix cannot be translated, or undefined. */
function problemOf({ topology }: Context, { entry, family, text, inside }: Wanted): string | undefined {
  if (family === 4 && hasNat(entry)) return "expected one translation of IPv4; found `nat` as well; remove one";
  const reason = forbiddenReason(text);
  if (reason !== undefined) return `expected a free network; ${reason}`;
  const [outside = "", ...further] = [entry.wan].flat();
  if (further.length > 0)
    return `expected one outside segment beside \`prefixTranslation\`; found ${[outside, ...further].join(", ")}`;
  const wan = topology.segments.get(outside);
  if (wan !== undefined && wan[`ipv${family}`] === undefined)
    return `expected IPv${family} outside as well; found none on ${outside}; give it \`ipv${family}\``;
  const [network, ...others] = inside;
  if (network === undefined || others.length > 0)
    return `expected one inside segment with IPv${family}; found ${inside.length}: one network stands for one; use a router for each`;
  const { length } = parseNetwork(network);
  return length === parseNetwork(text).length
    ? undefined
    : `expected a /${length} network, as long as ${network} inside: hosts correspond one to one; found ${text}`;
}

function insideNetworks({ topology }: Context, { lan }: RouterEntry, family: Family): readonly string[] {
  return [lan].flat().flatMap((segment) => topology.segments.get(segment)?.[`ipv${family}`] ?? []);
}

function canonical(text: string): string {
  return formatNetwork(parseNetwork(text));
}
