/**
 * Applies the impairments of a topology to a node's links: with the kernel's netem where it is available and can,
 * otherwise in user space. Both directions of a link use the same method.
 */

import { type InterfaceSetup, LINK_DIRECTIONS, type LinkDirection, type LinkFigures } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { interfaceMtu } from "../native/interface-request.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import type { FoundInterface } from "./found-interface.ts";
import type { ImpairedInterface, LinkImpairments } from "./impaired-interface.ts";
import { imposeNetem } from "./netem.ts";
import { openUserSpaceLink, underlyingGuard } from "./user-space-link.ts";

/** The interfaces of a node, some of them with impaired links. */
export interface ImpairedInterfaces {
  /** Every interface of the set-up, with the present name of the one that gets its addresses. */
  readonly found: readonly FoundInterface[];
  /** The interface on which frames to the segment leave the node, once the node is set up. */
  underlyingNameOf(iface: InterfaceSetup): string;
  /** Which directions of which links are impaired, and by what. */
  readonly impaired: readonly Pick<LinkFigures, "segment" | "direction" | "applied">[];
  /** Replaces the impairments of a link that has some. Throws NodeFailure. */
  change(segment: string, impairments: LinkImpairments): Promise<void>;
  /** Starts forwarding frames; the interfaces are up. */
  start(): void;
  figures(): Promise<readonly LinkFigures[]>;
  close(): void;
}

/** Frames that a TAP device queues until they are read: one second at 5000 frames a second. */
const TAP_QUEUE_FRAMES = 5000;

/** Applies impairments to the interfaces as found; those without impairments are left alone. Throws NodeFailure. */
export async function applyImpairments(found: readonly FoundInterface[]): Promise<ImpairedInterfaces> {
  const imposed = await Promise.all(found.map(impose));
  const impaired = imposed.filter((entry) => entry !== undefined);
  const directions = impaired.flatMap((entry) => directionsOf(entry.iface).map((direction) => ({ entry, direction })));
  return {
    found: found.map((original, i) => imposed[i]?.found ?? original),
    underlyingNameOf: (iface) => impaired.find((entry) => entry.iface === iface)?.underlyingName ?? iface.interfaceName,
    impaired: directions.map(({ entry, direction }) => describe(entry, direction)),
    async change(segment, impairments) {
      const entry = impaired.find(({ iface }) => iface.segment === segment);
      if (entry === undefined)
        throw new NodeFailure("bad-command", `expected an impaired link to change, found ${segment}`);
      await entry.change(impairments);
    },
    start: () => {
      for (const entry of impaired) entry.start();
    },
    figures: () =>
      Promise.all(
        directions.map(async ({ entry, direction }) => ({
          ...describe(entry, direction),
          counters: await entry.figures(direction),
        })),
      ),
    close: () => {
      for (const entry of impaired) entry.close();
    },
  };
}

function describe({ iface: { segment }, applied }: ImpairedInterface, direction: LinkDirection) {
  return { segment, direction, applied };
}

function directionsOf({ impairment }: InterfaceSetup): readonly LinkDirection[] {
  return LINK_DIRECTIONS.filter((direction) => impairment?.[direction] !== undefined);
}

async function impose(original: FoundInterface, position: number): Promise<ImpairedInterface | undefined> {
  if (directionsOf(original.iface).length === 0) return undefined;
  const isLimited = LINK_DIRECTIONS.some((direction) => original.iface.impairment?.[direction]?.limits !== undefined);
  const byKernel = isLimited ? undefined : await imposeNetem(original, position);
  return byKernel ?? (await imposeFromUserSpace(original, position));
}

/** Renames the engine's interface and puts a TAP device in its place. */
async function imposeFromUserSpace(
  { iface, currentName }: FoundInterface,
  position: number,
): Promise<ImpairedInterface> {
  const underlyingName = `mice${position}`;
  const { interfaceName, impairment } = iface;
  if (impairment === undefined) throw new Error(`${interfaceName} has no impairment`);
  await load("ip", ["-batch", "-"], stepAside(currentName, underlyingName));
  const link = openUserSpaceLink(interfaceName, underlyingName, impairment);
  await Promise.all([
    load("nft", ["-f", "-"], underlyingGuard(underlyingName)),
    load("ip", ["-batch", "-"], tapDevice(interfaceName, interfaceMtu(underlyingName))),
  ]);
  return {
    iface,
    applied: "user-space",
    found: { iface, currentName: interfaceName },
    underlyingName,
    change(impairments) {
      link.change(impairments);
      return Promise.resolve();
    },
    start: () => link.start(),
    figures: (direction) => Promise.resolve({ ...link.figures()[direction] }),
    close: () => link.close(),
  };
}

/** The renamed interface has no addresses, no ARP and no IPv6, so that the kernel sends nothing on it by itself. */
function stepAside(currentName: string, underlyingName: string): string {
  return [
    `link set dev ${currentName} down`,
    `link set dev ${currentName} name ${underlyingName} addrgenmode none arp off multicast off`,
    `addr flush dev ${underlyingName}`,
    `link set dev ${underlyingName} up`,
  ]
    .map((command) => `${command}\n`)
    .join("");
}

/** Created over netlink, which also works in an unprivileged user namespace. */
function tapDevice(interfaceName: string, mtu: number): string {
  return `link set dev ${interfaceName} mtu ${mtu} txqueuelen ${TAP_QUEUE_FRAMES}\n`;
}

async function load(program: string, args: readonly string[], text: string): Promise<void> {
  const { code, stderr } = await run(program, args, text);
  if (code !== 0) throw new NodeFailure("setup-failed", describeRefusal([program, ...args].join(" "), text, stderr));
}
