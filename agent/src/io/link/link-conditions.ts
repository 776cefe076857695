/**
 * Imposes the conditions that a topology asks for on a node's wires: with the kernel's netem where it has it, else from
 * user space. A wire is done one way or the other in both directions.
 */

import type { LinkDirection, LinkFigures, WireSetup } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { interfaceMtu } from "../native/interface-request.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import type { ConditionedWire, LinkConditions } from "./conditioned-wire.ts";
import type { FoundWire } from "./found-wire.ts";
import { imposeNetem } from "./netem.ts";
import { runInTime } from "./run-in-time.ts";
import { openUserSpaceLink, wireEndGuard } from "./user-space-link.ts";

/** The wires of a node, some of them with a condition. */
export interface ConditionedWires {
  /** Every wire with the present name of the interface that gets its address. */
  readonly found: readonly FoundWire[];
  /** The interface on which frames of a wire really leave, once the node is set up. */
  wireEndOf(wire: WireSetup): string;
  /** Which directions have a condition, and who makes it. */
  readonly conditioned: readonly Pick<LinkFigures, "segment" | "direction" | "applied">[];
  /** Other conditions for a wire that has some. Throws NodeFailure. */
  change(segment: string, conditions: LinkConditions): Promise<void>;
  /** Carries frames from here on; interfaces are up. */
  start(): void;
  figures(): Promise<readonly LinkFigures[]>;
  close(): void;
}

/** Frames that a TAP device holds until they are read: a second of 5000 a second. */
const TAP_QUEUE_FRAMES = 5000;

/** Takes the wires as they were found and leaves those without condition alone. Throws NodeFailure. */
export async function imposeConditions(found: readonly FoundWire[]): Promise<ConditionedWires> {
  const imposed = await Promise.all(found.map(impose));
  const conditioned = imposed.filter((entry) => entry !== undefined);
  if (conditioned.some(({ applied }) => applied === "user-space")) runInTime();
  const directions = conditioned.flatMap((entry) =>
    directionsOf(entry.wire).map((direction) => ({ entry, direction })),
  );
  return {
    found: found.map((original, i) => imposed[i]?.found ?? original),
    wireEndOf: (wire) => conditioned.find((entry) => entry.wire === wire)?.wireEnd ?? wire.interfaceName,
    conditioned: directions.map(({ entry, direction }) => describe(entry, direction)),
    async change(segment, conditions) {
      const entry = conditioned.find(({ wire }) => wire.segment === segment);
      if (entry === undefined)
        throw new NodeFailure("bad-command", `expected a wire with a condition to change, found ${segment}`);
      await entry.change(conditions);
    },
    start: () => {
      for (const entry of conditioned) entry.start();
    },
    figures: () =>
      Promise.all(
        directions.map(async ({ entry, direction }) => ({
          ...describe(entry, direction),
          counters: await entry.figures(direction),
        })),
      ),
    close: () => {
      for (const entry of conditioned) entry.close();
    },
  };
}

function describe({ wire: { segment }, applied }: ConditionedWire, direction: LinkDirection) {
  return { segment, direction, applied };
}

function directionsOf({ condition }: WireSetup): readonly LinkDirection[] {
  return (["out", "in"] as const).filter((direction) => condition?.[direction] !== undefined);
}

async function impose(original: FoundWire, position: number): Promise<ConditionedWire | undefined> {
  if (directionsOf(original.wire).length === 0) return undefined;
  return (await imposeNetem(original, position)) ?? (await imposeFromUserSpace(original, position));
}

/** The engine's interface steps aside under another name, and a TAP device takes its place. */
async function imposeFromUserSpace({ wire, currentName }: FoundWire, position: number): Promise<ConditionedWire> {
  const wireEnd = `mice${position}`;
  const { interfaceName, condition } = wire;
  if (condition === undefined) throw new Error(`${interfaceName} has no condition`);
  await load("ip", ["-batch", "-"], stepAside(currentName, wireEnd));
  const link = openUserSpaceLink(interfaceName, wireEnd, condition);
  await Promise.all([
    load("nft", ["-f", "-"], wireEndGuard(wireEnd)),
    load("ip", ["-batch", "-"], tapDevice(interfaceName, interfaceMtu(wireEnd))),
  ]);
  return {
    wire,
    applied: "user-space",
    found: { wire, currentName: interfaceName },
    wireEnd,
    change(conditions) {
      link.change(conditions);
      return Promise.resolve();
    },
    start: () => link.start(),
    figures: (direction) => Promise.resolve({ ...link.figures()[direction] }),
    close: () => link.close(),
  };
}

/** Without addresses of any kind: neither ARP nor IPv6 says anything by itself on the wire. */
function stepAside(currentName: string, wireEnd: string): string {
  return [
    `link set dev ${currentName} down`,
    `link set dev ${currentName} name ${wireEnd} addrgenmode none arp off multicast off`,
    `addr flush dev ${wireEnd}`,
    `link set dev ${wireEnd} up`,
  ]
    .map((command) => `${command}\n`)
    .join("");
}

/** By netlink, which a process may use in a user namespace of its own, too. */
function tapDevice(interfaceName: string, mtu: number): string {
  return `link set dev ${interfaceName} mtu ${mtu} txqueuelen ${TAP_QUEUE_FRAMES}\n`;
}

async function load(program: string, args: readonly string[], text: string): Promise<void> {
  const { code, stderr } = await run(program, args, text);
  if (code !== 0) throw new NodeFailure("setup-failed", describeRefusal([program, ...args].join(" "), text, stderr));
}
