/** TCP between home addresses on the direct pair, and through OpenVPN between the same two nodes behind the same middleboxes. */

import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Bench } from "./bench.ts";
import { type KeptLab, keepLab, missing } from "./kept-lab.ts";
import type { Series } from "./measure.ts";
import { TUNNEL, withOpenvpn } from "./openvpn-tunnel.ts";
import { withScratch } from "./scratch.ts";

const SECONDS = 4;

/** Addresses of nat-nat. */
const HOMES = { mn: "2001:db8:a::100", cn: "2001:db8:b::100" } as const;
const PLACES = {
  mn: { inside: "192.168.1.2", outside: "198.18.0.4" },
  cn: { inside: "192.168.1.2", outside: "198.18.0.5" },
} as const;

export const throughput: Bench = {
  name: "throughput",
  claim: "TCP between home addresses is at least as fast as through OpenVPN without cipher",
  reach: { of: "ratio", least: 1 },
  measure: (rounds) =>
    withScratch(async (scratch) => {
      const product = { name: "iperf3 between home addresses", unit: "Mbit/s", values: [] as number[] } as const;
      const peer = { name: "the same through OpenVPN, no cipher", unit: "Mbit/s", values: [] as number[] } as const;
      const noIperf = await missing("iperf3", "apt-get install iperf3");
      if (noIperf !== undefined) return [{ ...product, missing: noIperf }];
      const noPeer = await missing("openvpn", "apt-get install openvpn");
      const lab = await keepLab("nat-nat", scratch);
      try {
        for (let round = 0; round < rounds; round += 1) {
          product.values.push(await iperf(lab, HOMES));
          if (noPeer === undefined) peer.values.push(await withOpenvpn(lab, PLACES, () => iperf(lab, TUNNEL)));
        }
      } finally {
        await lab.remove();
      }
      return [product, { ...peer, ...(noPeer === undefined ? {} : { missing: noPeer }) }] satisfies readonly Series[];
    }),
};

/** Megabits a second that arrived. */
async function iperf(lab: KeptLab, { mn, cn }: Readonly<Record<"mn" | "cn", string>>): Promise<number> {
  const [serverFile, ...serverArgs] = lab.inside("cn", "iperf3", "-s", "-1", "-B", cn);
  const server = execa(serverFile, serverArgs, { reject: false });
  await sleep(300);
  const words = ["iperf3", "-c", cn, "-B", mn, "-t", String(SECONDS), "-O", "1", "--json"];
  const [file, ...args] = lab.inside("mn", ...words);
  const { stdout } = await execa(file, args);
  await server;
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e6;
}
