/**
 * Which of several outside addresses a packet from inside is sent from (RFC 4787 REQ-2), as its mark: the number of the
 * address. The tables of that address translate it, and with several outside segments its mark chooses its routes. A
 * packet that answers a flow from outside has the mark of the address that the flow came to.
 */

import { outsideAddresses } from "../topology/model/outside.ts";
import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { poolSeed } from "../topology/resolve/seed.ts";
import { insideInNft } from "./nat.ts";

const KEYS = {
  paired: "ct original ip saddr",
  arbitrary: "ct original ip saddr . ct original ip daddr",
} as const;

/** Text for `nft -f`; loading it again replaces the table. Undefined for a router with one outside address. */
export function renderOutsideChoice(router: ResolvedRouter): string | undefined {
  const { nat } = router;
  const addresses = outsideAddresses(router);
  if (nat === undefined || addresses.length < 2) return undefined;
  const seed = `0x${poolSeed(nat.seed).toString(16)}`;
  const marks = addresses.map(({ ip }, i) => `${ip} : ${i + 1}`).join(", ");
  const inside = `iifname ${insideInNft(router)}`;
  return [
    "table ip mice_outside",
    "delete table ip mice_outside",
    "table ip mice_outside {",
    "  chain choose {",
    "    type filter hook prerouting priority mangle; policy accept;",
    `    ${inside} ct direction original meta mark set jhash ${KEYS[nat.pooling]} mod ${addresses.length} seed ${seed} offset 1;`,
    `    ${inside} ct direction reply meta mark set ct original ip daddr map { ${marks} };`,
    "  }",
    "}",
    "",
  ].join("\n");
}
