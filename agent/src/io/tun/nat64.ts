/** The NAT64 of a router: what the kernel routes into its TUN device comes back in the other IP version. */

import type { Nat64Role } from "../../control/messages.ts";
import { createNat64Translator } from "../../core/nat64/translator.ts";
import type { TunDevice } from "./tun.ts";

/** Translates from now on. */
export function startNat64(tun: TunDevice, role: Nat64Role): void {
  const translate = createNat64Translator(role);
  tun.listen((packets) => {
    for (const packet of packets) {
      const translated = translate(packet);
      if (translated !== undefined) tun.write(translated);
    }
    tun.flush();
  });
}
