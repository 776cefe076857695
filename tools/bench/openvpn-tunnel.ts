/** OpenVPN without cipher between the two ends of a lab, as the tunnel to compare with. */

import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { KeptLab } from "./kept-lab.ts";

/** Attempts to ping through the tunnel, up to a second each. */
const TUNNEL_ATTEMPTS = 20;

const PORT = "5000";

/** Addresses of the tunnel's ends. */
export const TUNNEL = { mn: "10.9.0.1", cn: "10.9.0.2" } as const;

/** An end of the tunnel: its local address, and the one by which the other end reaches it. */
export interface TunnelEnd {
  readonly inside: string;
  readonly outside: string;
}

/** Runs a function while the tunnel is up. NATs between the ends must preserve their ports. */
export async function withOpenvpn<T>(
  lab: KeptLab,
  places: Readonly<Record<"mn" | "cn", TunnelEnd>>,
  use: () => Promise<T>,
): Promise<T> {
  const ends = (["mn", "cn"] as const).map((node) => {
    const other = node === "mn" ? "cn" : "mn";
    const options = ["--dev", "tun9", "--dev-type", "tun", "--cipher", "none", "--auth", "none", "--ping", "1"];
    const here = ["--local", places[node].inside, "--lport", PORT, "--remote", places[other].outside, PORT];
    const words = ["openvpn", ...options, ...here, "--ifconfig", TUNNEL[node], TUNNEL[other]];
    const [file, ...args] = lab.inside(node, ...words);
    return execa(file, args, { reject: false });
  });
  try {
    await untilAnswered(lab, TUNNEL.cn);
    return await use();
  } finally {
    for (const end of ends) end.kill("SIGTERM");
    await Promise.all(ends);
  }
}

/** An OpenVPN that has just started has no route yet, and ping exits on the first error. */
async function untilAnswered(lab: KeptLab, address: string): Promise<void> {
  const [file, ...args] = lab.inside("mn", "ping", "-c", "1", "-W", "1", address);
  for (let attempt = 1; ; attempt += 1) {
    const { failed, stdout } = await execa(file, args, { reject: false });
    if (!failed) return;
    if (attempt === TUNNEL_ATTEMPTS) throw new Error(`OpenVPN's tunnel does not come up: ${stdout}`);
    await sleep(200);
  }
}
