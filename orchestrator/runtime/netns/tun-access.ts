/** Checks whether nodes can make TUN devices on this machine, before anything is made. */

import { access, constants } from "node:fs/promises";
import type { NodeSpec } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";

const TUN_DEVICE = "/dev/net/tun";

/** Throws `no-permission` where nodes need a TUN device and this user cannot open `path`. */
export async function requireTunDevice(
  nodes: readonly Pick<NodeSpec, "name" | "tun">[],
  path = TUN_DEVICE,
): Promise<void> {
  const [first] = nodes.filter(({ tun }) => tun);
  if (first === undefined) return;
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new TestbedError(
      "no-permission",
      `expected to be able to read and write ${path}, which ${first.name} needs; ${isMissing ? "it does not exist" : "this user may not"}`,
      {
        hint: isMissing
          ? "modprobe tun, as root; in a container, hand the device in (docker run --device /dev/net/tun)"
          : `run as root, or let every user open it, as most distributions do: chmod 0666 ${path}`,
        cause,
      },
    );
  }
}
