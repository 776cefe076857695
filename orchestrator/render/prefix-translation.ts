/**
 * Prefix translation as nft tables: each host has its own outside address with all ports (1:1 NAT; NPTv6, RFC 6296).
 * Policy is in `firewall.ts`, which matches inside addresses in both directions.
 *
 * It differs from RFC 6296 in two ways, because a stateful firewall works beside it. Connection tracking translates, so
 * that it has one flow for the firewall to match; the stateless SNPT and DNPT targets would leave it with two. And the
 * host part stays unchanged: section 3.1 balances the checksum in the address, here the packet's checksum is updated,
 * which the kernel does for UDP, TCP and ICMP but not for a bare Mobility Header.
 */

import { familyOfText } from "../topology/model/address-text.ts";
import type { ResolvedRouter, TranslatedPrefix } from "../topology/model/resolved.ts";
import { nftNames } from "./nat-middlebox.ts";

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
    `    oifname ${nftNames(wan)} ${snat}`,
    // RFC 6296 section 4: hosts inside reach each other by outside addresses, and see outside addresses as source.
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
