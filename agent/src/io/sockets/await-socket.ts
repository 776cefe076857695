/** Waits until a program of this network namespace serves on a port, as the kernel's table of sockets says. */

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { SocketProtocol } from "../../control/messages.ts";

export interface ServedPort {
  readonly protocol: SocketProtocol;
  readonly port: number;
}

const LOOK_INTERVAL_MS = 25;

/** True as soon as a socket serves on the port, false where none does after `waitMs`. */
export async function awaitSocket(wanted: ServedPort & { readonly waitMs: number }): Promise<boolean> {
  const lastLookAt = performance.now() + wanted.waitMs;
  for (;;) {
    const tables = await Promise.all(
      [wanted.protocol, `${wanted.protocol}6`].map((table) => readFile(`/proc/net/${table}`, "utf8").catch(() => "")),
    );
    if (tables.some((table) => isServed(table, wanted))) return true;
    if (performance.now() > lastLookAt) return false;
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** The state of a TCP socket that listens, in hex (TCP_LISTEN of the kernel). */
const LISTENS = "0A";

/**
 * Whether a table of proc_pid_net(5), such as /proc/net/tcp6, has a TCP socket that listens on the port, or a UDP socket
 * that is bound to it.
 */
export function isServed(table: string, { protocol, port }: ServedPort): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) === true && (protocol === "udp" || state === LISTENS);
  });
}
