/** TCP between home addresses on the direct pair, and through OpenVPN between the same nodes behind the same NATs. */

import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Bench } from "./bench.ts";
import { type KeptLab, keepLab } from "./kept-lab.ts";
import { notMeasured, type Series } from "./measure.ts";
import { TUNNEL, withOpenvpn } from "./openvpn-tunnel.ts";
import { findProgram } from "./peer-programs.ts";
import { withScratch } from "./scratch.ts";

const SECONDS = 4;

const NAMES = { product: "iperf3 between home addresses", peer: "through OpenVPN, no cipher" } as const;

/** Addresses of nat-nat. */
const HOMES = { mn: "2001:db8:a::100", cn: "2001:db8:b::100" } as const;
const PLACES = {
  mn: { inside: "192.168.1.2", outside: "198.18.0.4" },
  cn: { inside: "192.168.1.2", outside: "198.18.0.5" },
} as const;

export const throughput: Bench = {
  name: "throughput",
  compares: "TCP between home addresses : through OpenVPN without cipher",
  reach: { least: 1 },
  measure: ({ rounds }) =>
    withScratch(async (scratch) => {
      const iperf = await findProgram("iperf3");
      if ("missing" in iperf)
        return [notMeasured(NAMES.product, "Mbit/s", iperf), notMeasured(NAMES.peer, "Mbit/s", iperf)];
      const openvpn = await findProgram("openvpn");
      const values = { product: [] as number[], peer: [] as number[] };
      const lab = await keepLab("nat-nat", scratch);
      try {
        for (let round = 0; round < rounds; round += 1) {
          values.product.push(await throughputBetween(lab, HOMES));
          if ("program" in openvpn) {
            values.peer.push(await withOpenvpn(lab, PLACES, () => throughputBetween(lab, TUNNEL)));
          }
        }
      } finally {
        await lab.remove();
      }
      const product: Series = { name: NAMES.product, unit: "Mbit/s", values: values.product };
      if ("missing" in openvpn) return [product, notMeasured(NAMES.peer, "Mbit/s", openvpn)];
      return [product, { name: NAMES.peer, unit: "Mbit/s", values: values.peer }];
    }),
};

/** Megabits per second received. */
async function throughputBetween(lab: KeptLab, { mn, cn }: Readonly<Record<"mn" | "cn", string>>): Promise<number> {
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
