/** Round trips measured with the system's ping, which a user would use as well. */

import type { TrafficResult } from "../control/messages.ts";
import { familyOf } from "../core/address.ts";
import { run } from "./command.ts";

export interface PingRequest {
  /** Address of either IP version. */
  readonly to: string;
  readonly count: number;
  readonly intervalMs: number;
  /** How long to wait for answers when none has come. */
  readonly timeoutMs: number;
}

/** Sends echo requests from the address that the routes give, the home address to other home addresses. Never throws: what fails is unanswered. */
export async function ping(request: PingRequest): Promise<TrafficResult> {
  const { stdout } = await run("ping", pingArguments(request));
  return parsePing(stdout, request.count);
}

/** Words for iputils' ping. */
export function pingArguments({ to, count, intervalMs, timeoutMs }: PingRequest): readonly string[] {
  const seconds = (ms: number): string => String(ms / 1000);
  return [`-${familyOf(to)}`, "-n", "-c", String(count), "-i", seconds(intervalMs), "-W", seconds(timeoutMs), to];
}

/** Reads the lines `… icmp_seq=1 ttl=62 time=0.123 ms`, with `(DUP!)` at the end of those that came twice. */
export function parsePing(output: string, count: number): TrafficResult {
  const rttMs: (number | null)[] = Array.from({ length: count }, () => null);
  let duplicates = 0;
  for (const [, sequence, time, rest] of output.matchAll(/icmp_seq=(\d+) .*?time=([\d.]+) ms(.*)/g)) {
    const i = Number(sequence) - 1;
    if (rest?.includes("DUP!") === true) duplicates += 1;
    else if (i < count) rttMs[i] = Number(time);
  }
  return { sent: count, received: rttMs.filter((rtt) => rtt !== null).length, duplicates, rttMs };
}
