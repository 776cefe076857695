/** NATs and firewalls in a few words, for tables and diagrams. */

import { familyOfText } from "../model/address-text.ts";
import { describeFirewall, describeNat } from "../model/presets.ts";
import type { ResolvedRouter, TranslatedPrefix } from "../model/resolved.ts";

/** What a router does to packets, such as `home-router` or `NPTv6, stateful`. */
export function describeMiddlebox({ nat, prefixes, firewall }: ResolvedRouter): string {
  const last = nat === undefined ? describeFirewall(firewall) : describeNat(nat);
  return [...prefixes.map(describePrefix), last].join(", ");
}

/** `1:1 NAT` or `NPTv6`. */
export function describePrefix({ inside }: TranslatedPrefix): string {
  return familyOfText(inside) === 4 ? "1:1 NAT" : "NPTv6";
}
