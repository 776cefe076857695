/**
 * A NAT's nft table for TCP. It has mappings of its own: one port may be in use for UDP and, by somebody else, for TCP.
 */

import type { ResolvedRouter } from "../topology/model/resolved.ts";
import { renderNatTable } from "./nat.ts";

/** Text for `nft -f`; loading it again replaces the table. Undefined without NAT, and where one table is for all protocols. */
export function renderTcpNat(router: ResolvedRouter): string | undefined {
  const { nat, tcp } = router;
  if (nat === undefined || tcp === undefined || nat.portAssignment === "overload") return undefined;
  const { mapping, filtering, hairpinning, transitorySec, establishedSec } = tcp;
  return renderNatTable("mice_nat_tcp", router, {
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
