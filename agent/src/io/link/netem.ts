/** Applies a link's impairments with the kernel's netem, or changes nothing where netem is unavailable. */

import type { LinkDirection } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import type { FoundInterface } from "./found-interface.ts";
import type { ImpairedInterface } from "./impaired-interface.ts";
import { type NetemRequest, type NetemTexts, netemChange, netemTexts } from "./netem-plan.ts";

/**
 * Undefined where the kernel or its tools lack netem; nothing is changed then. The queueing disciplines survive
 * renaming the interface and taking it down and up.
 */
export async function imposeNetem(found: FoundInterface, position: number): Promise<ImpairedInterface | undefined> {
  const { iface, currentName } = found;
  const { impairment } = iface;
  if (impairment === undefined) return undefined;
  const ifbName = `mice-in${position}`;
  const request: NetemRequest = { ...impairment, interfaceName: currentName, ifbName };
  const seed = Number.parseInt(impairment.seed.slice(0, 8), 16);
  let refused = await tryTexts(netemTexts({ ...request, seeds: { out: seed, in: seed ^ 1 } }));
  // iproute2 before 6.6 has no seed option: netem then uses a random seed.
  if (refused?.includes('"seed"') === true) refused = await tryTexts(netemTexts(request));
  if (refused !== undefined) return undefined;
  const shaped = (direction: LinkDirection): string => (direction === "out" ? iface.interfaceName : ifbName);
  return {
    iface,
    applied: "netem",
    found,
    underlyingName: iface.interfaceName,
    change: async (impairments) => {
      const text = netemChange({ interfaceName: iface.interfaceName, ifbName }, impairments);
      const refused = await batch("tc", ["-batch", "-"], text);
      if (refused !== undefined) throw new NodeFailure("setup-failed", describeRefusal("tc -batch -", text, refused));
    },
    start: () => undefined,
    figures: async (direction) =>
      parseQdiscFigures((await run("tc", ["-s", "qdisc", "show", "dev", shaped(direction)])).stdout),
    close: () => undefined,
  };
}

/** netem's counters, from output such as `Sent 1960 bytes 20 pkt (dropped 3, overlimits 0 requeues 0)`. */
export function parseQdiscFigures(text: string): Readonly<Record<string, number>> {
  const netem = text.slice(Math.max(text.indexOf("qdisc netem"), 0));
  const [, delivered, lost] = /Sent \d+ bytes (\d+) pkts? \(dropped (\d+)/.exec(netem) ?? [];
  return { delivered: Number(delivered ?? 0), lost: Number(lost ?? 0) };
}

/** Runs the commands; on failure undoes all of them and returns the program's error message. */
async function tryTexts({ ip, tc, undo }: NetemTexts): Promise<string | undefined> {
  const refused = (await batch("ip", ["-batch", "-"], ip)) ?? (await batch("tc", ["-batch", "-"], tc));
  if (refused === undefined) return undefined;
  await batch("tc", ["-force", "-batch", "-"], undo.tc);
  await batch("ip", ["-force", "-batch", "-"], undo.ip);
  return refused;
}

async function batch(program: string, args: readonly string[], text: string): Promise<string | undefined> {
  if (text === "") return undefined;
  const { code, stderr } = await run(program, args, text);
  return code === 0 ? undefined : stderr;
}
