/** Round trips measured with the system's ping, which a user would use as well. */

import type { TrafficResult } from "../control/messages.ts";
import { familyOf } from "../core/address.ts";
import { run } from "./command.ts";

export interface PingRequest {
  /** Address of either IP version. */
  readonly to: string;
  readonly count: number;
  readonly intervalMs: number;
  /** How long to wait for answers after the last request. */
  readonly timeoutMs: number;
}

/** Sends echo requests from the address that the routes give, the home address to other home addresses. Never throws: what fails is unanswered. */
export async function ping(request: PingRequest): Promise<TrafficResult> {
  const { stdout } = await run("ping", pingArguments(request));
  return parsePing(stdout, request.count);
}

/**
 * Words for iputils' ping. Not `-W`: once there was an answer, ping waits for the others only twice the longest round trip
 * (measured: 3 of 5 reported lost on a busy machine that lost none). With a deadline it goes on asking while answers are
 * missing; what is asked beyond `count` is not looked at.
 */
export function pingArguments({ to, count, intervalMs, timeoutMs }: PingRequest): readonly string[] {
  const deadlineSec = Math.ceil((count * intervalMs + timeoutMs) / 1000);
  const interval = String(intervalMs / 1000);
  return [`-${familyOf(to)}`, "-n", "-c", String(count), "-i", interval, "-w", String(deadlineSec), to];
}

/** Reads the lines `… icmp_seq=1 ttl=62 time=0.123 ms`, with `(DUP!)` at the end of those that came twice. */
export function parsePing(output: string, count: number): TrafficResult {
  const rttMs: (number | null)[] = Array.from({ length: count }, () => null);
  let duplicates = 0;
  for (const [, sequence, time, rest] of output.matchAll(/icmp_seq=(\d+) .*?time=([\d.]+) ms(.*)/g)) {
    const i = Number(sequence) - 1;
    if (i >= count) continue;
    if (rest?.includes("DUP!") === true) duplicates += 1;
    else rttMs[i] = Number(time);
  }
  return { sent: count, received: rttMs.filter((rtt) => rtt !== null).length, duplicates, rttMs };
}
