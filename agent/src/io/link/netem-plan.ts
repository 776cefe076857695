/**
 * Translates a link's impairments into netem commands. Pure: nothing is run here.
 *
 * netem shapes what leaves an interface. Arriving packets are redirected to an intermediate device (ifb) and shaped as
 * they leave that.
 */

import { DEFAULT_QUEUE_PACKETS, type Impairment } from "../../core/link/impairment.ts";

/** The commands for one interface. */
export interface NetemTexts {
  /** For `ip -batch`; empty when no device has to be created. */
  readonly ip: string;
  /** For `tc -batch`. */
  readonly tc: string;
  /** For `ip -batch` and `tc -batch -force`: undoes any part of the above. */
  readonly undo: { readonly ip: string; readonly tc: string };
}

/** Impairments of a link, by its interface's present name; `seed` is omitted where tc does not support it. */
export interface NetemRequest {
  readonly interfaceName: string;
  /** Name of the device to which arriving frames are redirected. */
  readonly ifbName: string;
  readonly out?: Impairment;
  readonly in?: Impairment;
  readonly seeds?: { readonly out: number; readonly in: number };
}

/** More packets than a lab ever has in flight: without a rate, only configured loss drops packets. */
const NO_LIMIT_PACKETS = 1_000_000;

/** A rate that delays nothing, but makes netem keep packets in order under jitter. */
const ORDERING_RATE = "100gbit";

const FULL_FRAME_OCTETS = 1514;

/** The commands that apply impairments to an interface, and those that undo them. */
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
    // A single command would bring the device up first, and the kernel would give it an address meanwhile.
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
 * The commands, for `tc -batch`, that change a link impaired in both directions. Queued packets stay queued: netem
 * changes in place, and keeps a corruption, a reordering or a rate that the change does not name.
 */
export function netemChange(
  { interfaceName, ifbName }: Pick<NetemRequest, "interfaceName" | "ifbName">,
  impairments: { readonly out: Impairment; readonly in: Impairment },
): string {
  const change = (device: string, impairment: Impairment): string => {
    const { corruptRate, reorderRate, rateBitPerSec, jitterMs = 0 } = impairment;
    const unnamed = [
      ...(corruptRate === undefined ? ["corrupt 0%"] : []),
      ...(reorderRate === undefined ? ["reorder 0%"] : []),
      ...(rateBitPerSec === undefined && jitterMs <= 0 ? [`rate ${ORDERING_RATE}`] : []),
    ];
    return `qdisc replace dev ${device} root netem ${[netemArguments(impairment), ...unnamed].join(" ")}`;
  };
  return lines([change(interfaceName, impairments.out), change(ifbName, impairments.in)]);
}

/** netem's arguments for an impairment. Probabilities are percentages to six digits, times whole microseconds. */
export function netemArguments(impairment: Impairment, seed?: number): string {
  const { delayMs = 0, jitterMs = 0, duplicateRate, corruptRate, reorderRate } = impairment;
  const isDelayed = delayMs > 0 || jitterMs > 0;
  return [
    `limit ${limitOf(impairment)}`,
    ...(isDelayed ? [`delay ${microseconds(delayMs)} ${microseconds(jitterMs)}`] : []),
    ...lossOf(impairment),
    ...(duplicateRate === undefined ? [] : [`duplicate ${percent(duplicateRate)}`]),
    ...(corruptRate === undefined ? [] : [`corrupt ${percent(corruptRate)}`]),
    ...(reorderRate === undefined ? [] : [`reorder ${percent(reorderRate)}`]),
    ...rateOf(impairment),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
  ].join(" ");
}

function rootQdisc(interfaceName: string, impairment: Impairment, seed: number | undefined): string {
  return `qdisc add dev ${interfaceName} root netem ${netemArguments(impairment, seed)}`;
}

/** netem has one limit for packets queued for the rate and packets in flight; assumes full-sized frames. */
function limitOf({ delayMs = 0, rateBitPerSec, queuePackets = DEFAULT_QUEUE_PACKETS }: Impairment): number {
  if (rateBitPerSec === undefined) return NO_LIMIT_PACKETS;
  return queuePackets + Math.ceil((rateBitPerSec * delayMs) / (8000 * FULL_FRAME_OCTETS));
}

/** Independent loss, or the Gilbert model: the probabilities to enter and to leave the bad state. */
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
