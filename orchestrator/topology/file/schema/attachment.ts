/** Where a node is: its segments, its addresses on them, its default router. */

import * as z from "zod";
import { address, mac, reference } from "./values.ts";

export const fixedAddresses = z
  .record(reference, z.strictObject({ ipv4: address(4).optional(), ipv6: address(6).optional(), mac: mac.optional() }))
  .describe("Fixed addresses by segment; whatever is not given is assigned in the order of the file");

export const gateway = reference.describe(
  "The router behind which everything else lies; found by itself when there is one",
);

export const segments = z
  .union([reference, z.array(reference).min(1)])
  .describe("The segment it is attached to, or several, the preferred one first");
