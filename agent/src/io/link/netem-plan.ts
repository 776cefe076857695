/**
 * A link's condition in the words of the kernel's netem: deciding only, nothing here runs.
 *
 * netem shapes what leaves an interface. What arrives is led through an intermediate device (ifb) first and leaves that.
 */

import { DEFAULT_QUEUE_PACKETS, type Impairment } from "../../core/link/impairment.ts";

/** One direction of a segment, and the interface it is shaped on. */
export interface NetemTexts {
  /** For `ip -batch`, empty when nothing has to be made. */
  readonly ip: string;
  /** For `tc -batch`. */
  readonly tc: string;
  /** For `ip -batch` and `tc -batch -force`: takes back whatever of the above was done. */
  readonly undo: { readonly ip: string; readonly tc: string };
}

/** What happens on a segment, by its interface's present name; `seed` is left out for a tc that knows none. */
export interface NetemRequest {
  readonly interfaceName: string;
  /** Name for the device through which arriving frames are led. */
  readonly ifbName: string;
  readonly out?: Impairment;
  readonly in?: Impairment;
  readonly seeds?: { readonly out: number; readonly in: number };
}

/** More packets than a lab has under way: without a rate nothing is to be lost but what a condition asks for. */
const NO_LIMIT_PACKETS = 1_000_000;

/** A rate that holds nothing up, and with which netem keeps packets in order under jitter. */
const ORDERING_RATE = "100gbit";

const FULL_FRAME_OCTETS = 1514;

/** The commands that impose conditions on a segment, and those that take them back. */
export function netemTexts(request: NetemRequest): NetemTexts {
  const { interfaceName, ifbName, out, in: inbound, seeds } = request;
  const leaving = out === undefined ? [] : [rootQdisc(interfaceName, out, seeds?.out)];
  const arriving =
    inbound === undefined
      ? []
      : [
          `qdisc add dev ${interfaceName} ingress`,
          `filter add dev ${interfaceName} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ${ifbName}`,
          rootQdisc(ifbName, inbound, seeds?.in),
        ];
  return {
    // One command would bring it up first and give it an address meanwhile.
    ip:
      inbound === undefined
        ? ""
        : lines([`link add ${ifbName} type ifb`, `link set ${ifbName} addrgenmode none`, `link set ${ifbName} up`]),
    tc: lines([...leaving, ...arriving]),
    undo: {
      ip: inbound === undefined ? "" : lines([`link del ${ifbName}`]),
      tc: lines([
        ...(out === undefined ? [] : [`qdisc del dev ${interfaceName} root`]),
        ...(inbound === undefined ? [] : [`qdisc del dev ${interfaceName} ingress`]),
      ]),
    },
  };
}

/**
 * The commands, for `tc -batch`, that change a segment whose both directions have a condition. Packets on their way stay on
 * it: netem changes in place, and keeps a reordering or a rate that a change does not name.
 */
export function netemChange(
  { interfaceName, ifbName }: Pick<NetemRequest, "interfaceName" | "ifbName">,
  impairments: { readonly out: Impairment; readonly in: Impairment },
): string {
  const change = (device: string, impairment: Impairment): string => {
    const { reorderRate, rateBitPerSec, jitterMs = 0 } = impairment;
    const unnamed = [
      ...(reorderRate === undefined ? ["reorder 0%"] : []),
      ...(rateBitPerSec === undefined && jitterMs <= 0 ? [`rate ${ORDERING_RATE}`] : []),
    ];
    return `qdisc replace dev ${device} root netem ${[netemArguments(impairment), ...unnamed].join(" ")}`;
  };
  return lines([change(interfaceName, impairments.out), change(ifbName, impairments.in)]);
}

/** netem's arguments for a condition. Shares are percentages to six digits, times whole microseconds. */
export function netemArguments(impairment: Impairment, seed?: number): string {
  const { delayMs = 0, jitterMs = 0, duplicateRate, reorderRate } = impairment;
  const isDelayed = delayMs > 0 || jitterMs > 0;
  return [
    `limit ${limitOf(impairment)}`,
    ...(isDelayed ? [`delay ${microseconds(delayMs)} ${microseconds(jitterMs)}`] : []),
    ...lossOf(impairment),
    ...(duplicateRate === undefined ? [] : [`duplicate ${percent(duplicateRate)}`]),
    ...(reorderRate === undefined ? [] : [`reorder ${percent(reorderRate)}`]),
    ...rateOf(impairment),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
  ].join(" ");
}

function rootQdisc(interfaceName: string, impairment: Impairment, seed: number | undefined): string {
  return `qdisc add dev ${interfaceName} root netem ${netemArguments(impairment, seed)}`;
}

/** netem counts what waits for the rate and what is under way together; full frames are what fills a queue. */
function limitOf({ delayMs = 0, rateBitPerSec, queuePackets = DEFAULT_QUEUE_PACKETS }: Impairment): number {
  if (rateBitPerSec === undefined) return NO_LIMIT_PACKETS;
  return queuePackets + Math.ceil((rateBitPerSec * delayMs) / (8000 * FULL_FRAME_OCTETS));
}

/** Independent losses, or Gilbert's two states: the chance to enter the bad one, and to leave it. */
function lossOf({ lossRate = 0, lossBurst = 1 }: Impairment): readonly string[] {
  if (lossRate <= 0) return [];
  if (lossBurst <= 1 || lossRate >= 1) return [`loss random ${percent(lossRate)}`];
  const leave = 1 / lossBurst;
  return [`loss gemodel ${percent((lossRate * leave) / (1 - lossRate))} ${percent(leave)}`];
}

function rateOf({ jitterMs = 0, rateBitPerSec }: Impairment): readonly string[] {
  if (rateBitPerSec !== undefined) return [`rate ${Math.round(rateBitPerSec)}bit`];
  return jitterMs > 0 ? [`rate ${ORDERING_RATE}`] : [];
}

function microseconds(ms: number): string {
  return `${Math.round(ms * 1000)}us`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`;
}

function lines(commands: readonly string[]): string {
  return commands.map((command) => `${command}\n`).join("");
}
