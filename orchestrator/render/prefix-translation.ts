/**
 * One network in place of another, each host with an address of its own and all its ports (1:1 NAT; NPTv6, RFC 6296), as
 * nft tables. Who may pass is `firewall.ts`, which sees inside addresses in both directions.
 *
 * It differs from RFC 6296 in two ways, because a firewall with memory stands beside it. Connection tracking does the
 * exchange, so that the flows that it knows are those the firewall asks it about; what the stateless SNPT and DNPT targets
 * exchange looks to it like two flows. And a host part stays what it is: section 3.1 balances the checksum in the address,
 * here it is mended in the packet, which the kernel does for UDP, TCP and ICMP and not for a bare Mobility Header.
 */

import { familyOfText } from "../topology/model/address-text.ts";
import type { ResolvedRouter, TranslatedPrefix } from "../topology/model/resolved.ts";

/** Texts for `nft -f`, one for each prefix; loading them again replaces the tables. */
export function renderPrefixTranslation(router: ResolvedRouter): readonly string[] {
  return router.prefixes.map((prefix) => renderTable(router, prefix));
}

function renderTable({ wan, lan }: ResolvedRouter, { inside, outside }: TranslatedPrefix): string {
  const family = familyOfText(inside) === 4 ? "ip" : "ip6";
  const table = `table ${family} mice_prefix`;
  const lans = `{ ${lan.map((name) => `"${name}"`).join(", ")} }`;
  const snat = `snat ${family} prefix to ${family} saddr map { ${inside} : ${outside} };`;
  return [
    table,
    `delete ${table}`,
    `${table} {`,
    "  chain outward {",
    "    type nat hook postrouting priority srcnat - 5; policy accept;",
    `    oifname "${wan}" ${snat}`,
    // RFC 6296 section 4: hosts inside reach each other by their outside addresses, and see each other's.
    `    iifname ${lans} oifname ${lans} ct status dnat ${snat}`,
    "  }",
    "",
    "  chain inward {",
    "    type nat hook prerouting priority dstnat - 5; policy accept;",
    `    dnat ${family} prefix to ${family} daddr map { ${outside} : ${inside} };`,
    "  }",
    "}",
    "",
  ].join("\n");
}
