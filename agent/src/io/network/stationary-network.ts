/**
 * Routes and rules of a stationary node, whose kernel handles traffic with home addresses except for what the program
 * has to see. Packets that programs send to home addresses go into the TUN device, packets from the TUN device follow
 * the native routes, and Mobility Headers that arrive from a segment also go to the TUN device. So do fragments, of which
 * a rule does not see what they are fragments of; those of data come back.
 *
 * The kernel's rule for local addresses comes first by default; here it is moved behind the one for Mobility Headers.
 */

import type { NodeSetup, RouteSetup, StationaryNodeRole } from "../../control/messages.ts";
import { canonicalAddress, familyOf } from "../../core/address.ts";
import { TUN_NAME } from "../tun/tun-name.ts";

/** Routes for packets from the TUN device, and for Mobility Headers. */
const NATIVE_TABLE = 98;
const SIGNALLING_TABLE = 99;

const SIGNALLING_PREFERENCE = 100;
const LOCAL_PREFERENCE = 200;
const NATIVE_PREFERENCE = 300;

/** Lines for `ip -batch` that route home addresses into the TUN device. */
export function stationaryTunCommands({ address, homePrefixes }: StationaryNodeRole): readonly string[] {
  return [
    ...homePrefixes.map((prefix) => `route add ${prefix} dev ${TUN_NAME} src ${address}`),
    `route add ::/0 dev ${TUN_NAME} table ${SIGNALLING_TABLE}`,
  ];
}

/** The tables that a route is added to; undefined is the main table. */
export function stationaryTablesOf(
  { homePrefixes }: StationaryNodeRole,
  { to }: RouteSetup,
): readonly (number | undefined)[] {
  if (familyOf(to) === 4) return [undefined];
  const isHome = homePrefixes.some((prefix) => samePrefix(prefix, to));
  return isHome ? [NATIVE_TABLE] : [undefined, NATIVE_TABLE];
}

/** Lines for `ip -6 -batch`. */
export function stationaryRules({ interfaces }: NodeSetup, { address }: StationaryNodeRole): readonly string[] {
  return [
    ...interfaces.flatMap(({ interfaceName }) =>
      ["mobility-header", "ipv6-frag"].map(
        (protocol) =>
          `rule add to ${address}/128 iif ${interfaceName} ipproto ${protocol} lookup ${SIGNALLING_TABLE} preference ${SIGNALLING_PREFERENCE}`,
      ),
    ),
    `rule add lookup local preference ${LOCAL_PREFERENCE}`,
    `rule add iif ${TUN_NAME} lookup ${NATIVE_TABLE} preference ${NATIVE_PREFERENCE}`,
    "rule del preference 0",
  ];
}

function samePrefix(a: string, b: string): boolean {
  const [addressA = "", lengthA] = a.split("/");
  const [addressB = "", lengthB] = b.split("/");
  return lengthA === lengthB && canonicalAddress(addressA) === canonicalAddress(addressB);
}
