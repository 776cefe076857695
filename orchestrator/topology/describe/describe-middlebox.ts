/** NATs and firewalls in a few words, for tables and diagrams. */

import { familyOfText } from "../model/address-text.ts";
import { refusesMappings } from "../model/port-mapping.ts";
import { describeFirewall, describeNat, describeTcp, tcpLikeUdp } from "../model/presets.ts";
import type { ResolvedRouter, TranslatedPrefix } from "../model/resolved.ts";

/** What a router does to packets, such as `home-router` or `NPTv6, stateful`. */
export function describeMiddlebox(router: ResolvedRouter): string {
  const { nat, nat64, tcp, prefixes, firewall } = router;
  const last =
    nat === undefined ? describeFirewall(firewall) : `${nat64 === undefined ? "" : "NAT64 "}${describeNat(nat)}`;
  const differs = nat && tcp && describeTcp(tcp, tcpLikeUdp(nat, firewall));
  return [
    ...prefixes.map(describePrefix),
    last,
    ...(differs === undefined ? [] : [differs]),
    ...describePortMapping(router),
  ].join(", ");
}

const PROTOCOL_NAMES = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" } as const;

/** How ports are mapped by request; empty where they are not. */
export function describePortMapping(router: ResolvedRouter): readonly string[] {
  const { portMapping } = router;
  if (portMapping.length === 0) return [];
  const names = portMapping.map((protocol) => PROTOCOL_NAMES[protocol]).join(", ");
  return [`${refusesMappings(router) ? "refuses to map" : "maps"} ports by ${names}`];
}

/** `1:1 NAT` or `NPTv6`. */
export function describePrefix({ inside }: TranslatedPrefix): string {
  return familyOfText(inside) === 4 ? "1:1 NAT" : "NPTv6";
}
