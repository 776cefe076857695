/**
 * A NAT's nft table for TCP. It has mappings of its own: one port may be in use for UDP and, by somebody else, for TCP.
 */

import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { renderTables, tableNames } from "./nat.ts";

const TABLE = "mice_nat_tcp";

/** Text for `nft -f` that removes these tables, where plain masquerading takes their place. */
export function removeTcpNat(router: ResolvedRouter): string {
  return tableNames(TABLE, router)
    .map((table) => `table ip ${table}\ndelete table ip ${table}\n`)
    .join("");
}

/** Text for `nft -f`; loading it again replaces the table. Undefined without NAT, and where one table is for all protocols. */
export function renderTcpNat(router: ResolvedRouter): string | undefined {
  const { nat, tcp } = router;
  if (nat === undefined || tcp === undefined || nat.portAssignment === "overload") return undefined;
  const { mapping, filtering, hairpinning, transitorySec, establishedSec } = tcp;
  return renderTables(TABLE, router, {
    ...nat,
    mapping,
    filtering,
    hairpinning,
    inboundRefresh: true,
    protocol: "tcp",
    lifetimeSec: transitorySec,
    openLifetimeSec: establishedSec,
  });
}
