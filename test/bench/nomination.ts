/** From the offer to the nominated pair in nat-nat, and the same of aioice between the same nodes behind the same boxes. */

import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import type { Bench } from "./bench.ts";
import { type KeptLab, keepLab } from "./kept-lab.ts";
import type { Series } from "./measure.ts";
import { withScratch } from "./scratch.ts";

const PEER = join(PACKAGE_ROOT, "test/foreign-peer");
/** Debian's own, which has Debian's packages. */
const PYTHON = "/usr/bin/python3";
const HOME_AGENT = "198.18.0.2";

export const nomination: Bench = {
  name: "nomination",
  claim: "nat-nat has nominated a pair at most 200 ms after the offer",
  reach: { of: "value", most: 200 },
  measure: (rounds) =>
    withScratch(async (scratch) => {
      const product = { name: "nat-nat, offer to nomination", unit: "ms", values: [] as number[] } as const;
      const aioice = { name: "aioice, candidates known to nomination", unit: "ms", values: [] as number[] } as const;
      const { exitCode } = await execa(PYTHON, ["-c", "import aioice"], { reject: false });
      for (let round = 0; round < rounds; round += 1) {
        const lab = await keepLab("nat-nat", scratch);
        try {
          product.values.push(lab.nominatedAfterMs);
          if (exitCode === 0) aioice.values.push(await connectAioice(lab));
        } finally {
          await lab.remove();
        }
      }
      const absent =
        exitCode === 0 ? {} : { missing: "python3-aioice is not installed (apt-get install python3-aioice)" };
      const libjuice = { name: "libjuice", unit: "ms", values: [], missing: "no package of Debian has it" } as const;
      return [product, { ...aioice, ...absent }, libjuice] satisfies readonly Series[];
    }),
};

const peerResult = z.object({ connectMs: z.number() });

/** Milliseconds until both ends have nominated. */
async function connectAioice(lab: KeptLab): Promise<number> {
  const start = (node: string, script: string, env: Readonly<Record<string, string>> = {}) => {
    const [file, ...args] = lab.inside(node, PYTHON, join(PEER, script));
    return execa(file, args, { env, reject: false });
  };
  const rendezvous = start("ha-a", "rendezvous.py");
  const common = { STUN_SERVER: `${HOME_AGENT}:3478`, RENDEZVOUS: `${HOME_AGENT}:9000` };
  try {
    const ends = await Promise.all([
      start("mn", "aioice_peer.py", { ...common, PEER_ROLE: "controlling" }),
      start("cn", "aioice_peer.py", { ...common, PEER_ROLE: "controlled" }),
    ]);
    return Math.max(...ends.map(({ stdout }) => peerResult.parse(JSON.parse(stdout)).connectMs));
  } finally {
    rendezvous.kill("SIGTERM");
    await rendezvous;
  }
}
