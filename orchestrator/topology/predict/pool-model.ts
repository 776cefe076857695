/** The model of a NAT with several outside addresses: as many NATs with one, and a choice (RFC 4787 REQ-2). */

import type { NatProfile } from "@testbed/agent/control";
import { jhash } from "../model/jhash.ts";
import type { OutsideAddress } from "../model/outside.ts";
import { poolSeed } from "../resolve/seed.ts";
import type { ModelPacket } from "./packet.ts";
import type { Translation } from "./translation.ts";

/** The number of the outside address from which a packet is sent, as nft chooses it (`render/outside-choice.ts`). */
export function chosenAddress(
  { source, destination }: ModelPacket,
  { pooling, seed }: Pick<NatProfile, "pooling" | "seed">,
  count: number,
): number {
  return jhash(pooling === "paired" ? [source.ip] : [source.ip, destination.ip], count, poolSeed(seed));
}

/** The translation of such a NAT; `each` is that of one of its addresses. */
export function createPooledTranslation(
  nat: Pick<NatProfile, "pooling" | "seed">,
  addresses: readonly OutsideAddress[],
  each: (address: string) => Translation,
): Translation {
  const byAddress = new Map(addresses.map(({ ip }) => [ip, each(ip)]));
  const all = [...byAddress.values()];
  const per = nat.pooling === "paired" ? "inside host" : "pair of inside host and destination";
  const chosenFor = (packet: ModelPacket): Translation | undefined => all[chosenAddress(packet, nat, all.length)];
  const asked = ({ destination }: ModelPacket): Translation | undefined => byAddress.get(destination.ip);
  return {
    isFirewalled: false,
    insideOf: (packet, fromOutside) => asked(packet)?.insideOf(packet, fromOutside),
    outsideOf(packet) {
      const own = chosenFor(packet)?.outsideOf(packet);
      if (own === undefined || "dropped" in own) return own;
      return { ...own, why: `${own.why}, at ${own.source.ip}, one of ${all.length} addresses for each ${per}` };
    },
    learnInbound: (packet, inside) => asked(packet)?.learnInbound(packet, inside),
    learnAnswer(packet, inside) {
      for (const translation of all) translation.learnAnswer(packet, inside);
    },
    learnRefused: (packet) => asked(packet)?.learnRefused?.(packet),
    admission: (packet, fromOutside) => asked(packet)?.admission(packet, fromOutside) ?? "",
    refusal: (packet, fromOutside) => asked(packet)?.refusal(packet, fromOutside),
  };
}
