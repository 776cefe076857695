/**
 * Latency added by the agents: pings between home addresses compared with pings on the same segment. OpenVPN, where a
 * packet passes through user space as many times, shows how long the machine takes to wake up a process.
 */

import { execa } from "execa";
import type { Bench, MeasureOptions } from "./bench.ts";
import { type KeptLab, keepLab } from "./kept-lab.ts";
import { median, notMeasured, quantile, type Series } from "./measure.ts";
import { TUNNEL, withOpenvpn } from "./openvpn-tunnel.ts";
import { findProgram } from "./peer-programs.ts";
import { withScratch } from "./scratch.ts";

const PINGS = 500;
const INTERVAL_S = 0.004;

const NAME_OF_PEER = "added by two OpenVPN, no cipher";

/** Addresses of open-open: on the segment, and at home. */
const ON_THE_SEGMENT = { mn: "198.18.0.4", cn: "198.18.0.5" } as const;
const PLACES = {
  mn: { inside: ON_THE_SEGMENT.mn, outside: ON_THE_SEGMENT.mn },
  cn: { inside: ON_THE_SEGMENT.cn, outside: ON_THE_SEGMENT.cn },
} as const;
const HOME = { mn: "2001:db8:a::100", cn: "2001:db8:b::100" } as const;

export const latency: Bench = {
  name: "latency",
  compares: "what two agents add to a packet's way, one direction, median : what two OpenVPN add",
  measure: (options) => addedLatency(options, 0.5),
};

export const latencyTail: Bench = {
  name: "latency-tail",
  compares: "the same for the 99th of 100 packets",
  measure: (options) => addedLatency(options, 0.99),
};

/**
 * Microseconds in each round at this quantile: half of the round trip between homes minus half of the bare path's
 * median, because a packet passes two agents each way.
 */
function addedLatency({ rounds }: MeasureOptions, share: number): Promise<readonly Series[]> {
  return withScratch(async (scratch) => {
    const values = { added: [] as number[], peer: [] as number[], bare: [] as number[] };
    const openvpn = await findProgram("openvpn");
    const lab = await keepLab("open-open", scratch);
    try {
      for (let round = 0; round < rounds; round += 1) {
        const base = median(await ping(lab, ON_THE_SEGMENT.cn));
        const addedTo = (roundTrips: readonly number[]) => (quantile(roundTrips, share) - base) / 2;
        values.bare.push(base / 2);
        values.added.push(addedTo(await ping(lab, HOME.cn, "-I", HOME.mn)));
        if ("program" in openvpn) {
          values.peer.push(addedTo(await withOpenvpn(lab, PLACES, () => ping(lab, TUNNEL.cn))));
        }
      }
    } finally {
      await lab.remove();
    }
    return [
      { name: "added by two agents", unit: "µs", values: values.added },
      "missing" in openvpn
        ? notMeasured(NAME_OF_PEER, "µs", openvpn)
        : { name: NAME_OF_PEER, unit: "µs", values: values.peer },
      { name: "bare path, median", unit: "µs", values: values.bare },
    ];
  });
}

/** Round trips in microseconds, without the first, which resolves neighbours. */
async function ping(lab: KeptLab, to: string, ...options: readonly string[]): Promise<readonly number[]> {
  const words = ["ping", "-n", "-c", String(PINGS), "-i", String(INTERVAL_S), ...options, to];
  const [file, ...args] = lab.inside("mn", ...words);
  const { stdout } = await execa(file, args);
  return [...stdout.matchAll(/time=([\d.]+) ms/g)].slice(1).map(([, ms]) => Number(ms) * 1000);
}
