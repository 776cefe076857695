/** From the offer to the nominated pair in nat-nat, compared with other ICE agents behind the same NATs. */

import type { Bench } from "./bench.ts";
import { compileLibjuice, findAioice, nominateBehindNats } from "./foreign-ice.ts";
import { keepLab } from "./kept-lab.ts";
import { notMeasured, type Series } from "./measure.ts";
import { withScratch } from "./scratch.ts";

export const nomination: Bench = {
  name: "nomination",
  compares: "nat-nat, offer to nomination : aioice behind the same NATs",
  reach: { most: 0.25 },
  measure: ({ rounds }) =>
    withScratch(async (scratch) => {
      const peers = [
        { name: "aioice", ice: await findAioice(), values: [] as number[] },
        { name: "libjuice", ice: await compileLibjuice(scratch), values: [] as number[] },
      ];
      const values: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const lab = await keepLab("nat-nat", scratch);
        try {
          values.push(lab.nominatedAfterMs);
          for (const { ice, values } of peers) {
            if ("command" in ice) values.push(await nominateBehindNats(lab, ice.command));
          }
        } finally {
          await lab.remove();
        }
      }
      return [
        { name: "nat-nat", unit: "ms", values },
        ...peers.map(
          ({ name, ice, values }): Series =>
            "missing" in ice ? notMeasured(name, "ms", ice) : { name, unit: "ms", values },
        ),
      ];
    }),
};
