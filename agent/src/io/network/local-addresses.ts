/**
 * Waits until the kernel delivers packets to the node's IPv6 addresses.
 *
 * A new address is listed at once, even without duplicate address detection, but its local route is inserted by a
 * kernel worker. On a machine that creates many namespaces, that worker was seen to run 25 to 120 ms later; until then
 * packets to the address are dropped (Linux 6.18).
 */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { addressToBytes } from "../../core/address.ts";
import { NodeFailure } from "../failure.ts";

const ROUTES_FILE = "/proc/net/ipv6_route";

/** Flag of routes to local addresses (linux/ipv6_route.h). */
const RTF_LOCAL = 0x8000_0000;

const LOOK_EVERY_MS = 1;
const TIMEOUT_MS = 15_000;

/** Waits until packets to these IPv6 addresses are delivered. Throws `setup-failed` after a timeout. */
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

/** Those of the addresses that have no local route in /proc/net/ipv6_route. */
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
