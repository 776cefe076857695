/** Whether the machine's iptables see the frames that Docker's bridges carry. */

import { readFileSync } from "node:fs";
import type { Engine } from "./engine.ts";

/** Only a local engine's kernel can be read; without the module the file does not exist. */
export function bridgeNetfilter({ isLocal }: Pick<Engine, "isLocal">): boolean | "unknown" {
  if (!isLocal) return "unknown";
  try {
    return readFileSync("/proc/sys/net/bridge/bridge-nf-call-iptables", "utf8").trim() === "1";
  } catch {
    return false;
  }
}
