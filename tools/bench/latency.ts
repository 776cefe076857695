/**
 * What the agents add to the way of a packet: pings between home addresses beside pings on the same segment. OpenVPN, which
 * takes as many turns through user space, shows how long the machine needs to wake up a process.
 */

import { execa } from "execa";
import type { Bench } from "./bench.ts";
import { type KeptLab, keepLab, missing } from "./kept-lab.ts";
import { median, type Series } from "./measure.ts";
import { TUNNEL, withOpenvpn } from "./openvpn-tunnel.ts";
import { withScratch } from "./scratch.ts";

const PINGS = 500;
const INTERVAL_S = 0.004;

/** Addresses of open-open: on the one segment, and at home. */
const ON_THE_WIRE = { mn: "198.18.0.4", cn: "198.18.0.5" } as const;
const PLACES = {
  mn: { inside: ON_THE_WIRE.mn, outside: ON_THE_WIRE.mn },
  cn: { inside: ON_THE_WIRE.cn, outside: ON_THE_WIRE.cn },
} as const;
const HOME = { mn: "2001:db8:a::100", cn: "2001:db8:b::100" } as const;

export const latency: Bench = {
  name: "latency",
  claim: "the data path adds at most 4 times what OpenVPN without cipher adds to the way of a packet",
  reach: { of: "ratio", most: 4 },
  measure: addedLatency,
};

export const latencyTail: Bench = {
  name: "latency-tail",
  claim: "99 of 100 packets are at most 1 ms later in one direction than the median on the bare path",
  reach: { of: "value", most: 1000, share: 0.99 },
  measure: addedLatency,
};

/** Half of each round trip between homes less the bare path's median: a packet passes two agents each way. */
function addedLatency(rounds: number): Promise<readonly Series[]> {
  return withScratch(async (scratch) => {
    const added = { name: "added by two agents, one way", unit: "µs", values: [] as number[] } as const;
    const bare = { name: "bare path, one way", unit: "µs", values: [] as number[] } as const;
    const peer = { name: "added by two OpenVPN, no cipher", unit: "µs", values: [] as number[] } as const;
    const noPeer = await missing("openvpn", "apt-get install openvpn");
    const lab = await keepLab("open-open", scratch);
    try {
      for (let round = 0; round < rounds; round += 1) {
        const onTheWire = await ping(lab, ON_THE_WIRE.cn);
        const base = median(onTheWire);
        const addedBy = (roundTrips: readonly number[]) => roundTrips.map((roundTrip) => (roundTrip - base) / 2);
        bare.values.push(...onTheWire.map((roundTrip) => roundTrip / 2));
        added.values.push(...addedBy(await ping(lab, HOME.cn, "-I", HOME.mn)));
        if (noPeer === undefined)
          peer.values.push(...addedBy(await withOpenvpn(lab, PLACES, () => ping(lab, TUNNEL.cn))));
      }
    } finally {
      await lab.remove();
    }
    return [added, { ...peer, ...(noPeer === undefined ? {} : { missing: noPeer }) }, bare];
  });
}

/** Round trips in microseconds; the first, which finds neighbours, left out. */
async function ping(lab: KeptLab, to: string, ...options: readonly string[]): Promise<readonly number[]> {
  const words = ["ping", "-n", "-c", String(PINGS), "-i", String(INTERVAL_S), ...options, to];
  const [file, ...args] = lab.inside("mn", ...words);
  const { stdout } = await execa(file, args);
  return [...stdout.matchAll(/time=([\d.]+) ms/g)].slice(1).map(([, ms]) => Number(ms) * 1000);
}
