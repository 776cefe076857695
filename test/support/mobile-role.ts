/** The role of a mobile node, for tests to which it does not matter what it says. */

import type { NodeSetup } from "../../agent/src/control/messages.ts";

export const MOBILE_ROLE: NodeSetup["role"] = {
  type: "mobile-node",
  homeAddress: "2001:db8:a::2",
  homeAgent: { address: "2001:db8:a::1", listen: [] },
  localAddresses: ["192.168.1.2"],
  port: 4191,
  profile: "ice16",
  timers: {},
  tunMtu: 1400,
  seed: "00",
};
