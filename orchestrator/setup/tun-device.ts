/** The device that makes TUN interfaces, which mobile nodes and home agents need on both runtimes. */

import { existsSync } from "node:fs";
import type { Finding } from "./finding.ts";
import type { Say } from "./progress.ts";
import { findRootAccess, runAsRoot } from "./root-command.ts";

const TUN_DEVICE = "/dev/net/tun";

export function checkTunDevice(): readonly Finding[] {
  return existsSync(TUN_DEVICE)
    ? []
    : [{ state: "missing", text: `${TUN_DEVICE}, which mobile nodes and home agents need` }];
}

/** Makes the device if it is missing. Throws `setup-failed` where the machine does not allow it. */
export async function ensureTunDevice(say: Say): Promise<void> {
  if (existsSync(TUN_DEVICE)) return;
  say(`${TUN_DEVICE} is not there, which mobile nodes and home agents need: making it`);
  const make = "modprobe tun 2>/dev/null; [ -e $0 ] || { mkdir -p /dev/net && mknod -m 666 $0 c 10 200; }";
  await runAsRoot(await findRootAccess(), ["sh", "-c", make, TUN_DEVICE], say);
}
