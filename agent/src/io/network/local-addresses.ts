/**
 * IPv6 addresses that are the node's own, as its kernel sees it.
 *
 * An address that was added is listed at once, without duplicate address detection too, but its local route is inserted
 * by a worker of the kernel's. On a machine that makes many namespaces that worker was seen to come 25 to 120 ms later;
 * until then packets to the address are dropped (Linux 6.18).
 */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { addressToBytes } from "../../core/address.ts";
import { NodeFailure } from "../failure.ts";

const ROUTES_FILE = "/proc/net/ipv6_route";

/** Routes to addresses of the node's own carry this flag (linux/ipv6_route.h). */
const RTF_LOCAL = 0x8000_0000;

const LOOK_EVERY_MS = 1;
const TIMEOUT_MS = 15_000;

/** Waits until packets to these IPv6 addresses arrive. Throws `setup-failed` when that does not come about. */
export async function awaitLocalAddresses(addresses: readonly string[]): Promise<void> {
  const giveUpAt = performance.now() + TIMEOUT_MS;
  for (;;) {
    const missing = withoutLocalRoute(addresses, readFileSync(ROUTES_FILE, "latin1"));
    if (missing.length === 0) return;
    if (performance.now() > giveUpAt)
      throw new NodeFailure(
        "setup-failed",
        `expected the kernel to take packets to ${missing.join(", ")} within ${TIMEOUT_MS / 1000} s, found no local route: is the interface up and connected?`,
      );
    await sleep(LOOK_EVERY_MS);
  }
}

/** The addresses among these that no line of /proc/net/ipv6_route says to be the node's own. */
export function withoutLocalRoute(addresses: readonly string[], listing: string): readonly string[] {
  const local = new Set(
    listing.split("\n").flatMap((line) => {
      // Destination, its length, source, its length, next hop, metric, two counters, flags, interface.
      const fields = line.trim().split(/\s+/);
      const isLocal = (Number.parseInt(fields[8] ?? "0", 16) & RTF_LOCAL) !== 0;
      return isLocal && fields[0] !== undefined ? [fields[0]] : [];
    }),
  );
  return addresses.filter((address) => !local.has(Buffer.from(addressToBytes(address)).toString("hex")));
}
