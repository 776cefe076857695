/** NATs and firewalls in a few words, for tables and diagrams. */

import { familyOfText } from "../model/address-text.ts";
import { outsideAddresses } from "../model/outside.ts";
import { refusesMappings } from "../model/port-mapping.ts";
import { describeFirewall, describeNat, describeTcp } from "../model/presets.ts";
import type { ResolvedRouter, TranslatedPrefix } from "../model/resolved.ts";

/** What a router does to packets, such as `home-router` or `NPTv6, stateful`. */
export function describeMiddlebox(router: ResolvedRouter): string {
  const { nat, nat64, tcp, prefixes, firewall } = router;
  const last =
    nat === undefined ? describeFirewall(firewall) : `${nat64 === undefined ? "" : "NAT64 "}${describeNat(nat)}`;
  return [
    ...prefixes.map(describePrefix),
    last,
    ...describeAddresses(router),
    ...describeLimits(router),
    ...(nat === undefined || tcp === undefined ? [] : describeTcp(tcp, nat, firewall)),
    ...describePortMapping(router),
  ].join(", ");
}

/** How many outside addresses, and what each is for; empty for one. */
export function describeAddresses(router: ResolvedRouter): readonly string[] {
  const { nat, wan } = router;
  const count = outsideAddresses(router).length;
  if (nat === undefined || count < 2) return [];
  const by = wan.length > 1 ? "outside segments" : "outside addresses";
  return [`${count} ${by}, one for each ${nat.pooling === "paired" ? "host" : "host and destination"}`];
}

/** How much of the NAT a host may use; empty where nothing is said of it. */
export function describeLimits({ nat }: ResolvedRouter): readonly string[] {
  const { mappingsPerHost, mappingsPerSecond, blockSize } = nat ?? {};
  return [
    ...(blockSize === undefined ? [] : [`blocks of ${blockSize} ports`]),
    ...(mappingsPerHost === undefined ? [] : [`at most ${mappingsPerHost} mappings of a host`]),
    ...(mappingsPerSecond === undefined ? [] : [`at most ${mappingsPerSecond} new ones a second`]),
  ];
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
