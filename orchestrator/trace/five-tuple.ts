/** Five-tuples of captured packets: one object for each, so that equal ones are the same. */

import ipaddr from "ipaddr.js";
import { formatEndpoint } from "../topology/model/address-text.ts";
import type { FORWARD_PROTOCOLS } from "../topology/model/words.ts";

/** Protocols that are followed; of ICMP, echo requests and replies. */
export type TracedProtocol = (typeof FORWARD_PROTOCOLS)[number] | "icmp";

export interface TupleEnd {
  readonly ip: string;
  /** Of ICMP: the identifier, at both ends. */
  readonly port: number;
}

export interface FiveTuple {
  readonly protocol: TracedProtocol;
  readonly source: TupleEnd;
  readonly destination: TupleEnd;
}

export interface TupleTable {
  /** `source` and `destination` are addresses in octets. */
  tuple(protocol: TracedProtocol, ends: readonly [source: RawEnd, destination: RawEnd]): FiveTuple;
}

interface RawEnd {
  readonly address: Uint8Array;
  readonly port: number;
}

export function createTupleTable(): TupleTable {
  const tuples = new Map<string, FiveTuple>();
  const ends = new Map<string, TupleEnd>();
  const endOf = ({ address, port }: RawEnd, key: string): TupleEnd => {
    const known = ends.get(key);
    if (known !== undefined) return known;
    const end = { ip: ipaddr.fromByteArray([...address]).toString(), port };
    ends.set(key, end);
    return end;
  };
  return {
    tuple(protocol, [source, destination]) {
      const sourceKey = keyOf(source);
      const destinationKey = keyOf(destination);
      const key = `${protocol}${sourceKey}-${destinationKey}`;
      const known = tuples.get(key);
      if (known !== undefined) return known;
      const tuple = { protocol, source: endOf(source, sourceKey), destination: endOf(destination, destinationKey) };
      tuples.set(key, tuple);
      return tuple;
    },
  };
}

function keyOf({ address, port }: RawEnd): string {
  return `${String.fromCharCode(...address)}:${port}`;
}

/** Whether a packet answers another one by its addresses and ports; ends of one table are compared. */
export function isReversed(a: FiveTuple, b: FiveTuple): boolean {
  return a.source === b.destination && a.destination === b.source;
}

/** Whether a packet goes to the address that another one came from, over whatever ports: nobody forwards one so. */
export function goesBack(a: FiveTuple, b: FiveTuple): boolean {
  return a.source.ip === b.destination.ip && a.destination.ip === b.source.ip;
}

/** `udp 192.168.1.2:40000 → 198.18.0.5:40000` */
export function formatTuple({ protocol, source, destination }: FiveTuple): string {
  return `${protocol} ${formatEndpoint(source)} → ${formatEndpoint(destination)}`;
}
