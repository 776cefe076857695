/** Compares the ways in that middleboxes declare with where datagrams from outside arrived. */

import type { HeardDatagram } from "@testbed/agent/control";
import type { InboundProbe } from "../plan/inbound-probe-plan.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import type { Difference } from "./difference.ts";

/** What became of datagrams to a way in of a middlebox, and to the port beside it. */
export interface InboundVerification
  extends Pick<InboundProbe, "router" | "kind" | "from" | "destination" | "target" | "closedPort" | "ipVersion"> {
  /** Ports of the target that each came to; absent for one that did not come. */
  readonly reachedPort?: number;
  readonly closedReachedPort?: number;
  readonly differences: readonly Difference[];
  /** How often it was tried until silence could be believed. */
  readonly attempts: number;
}

/** The marks of a probe's two datagrams: its whole payloads, octets in hex. */
export function marksOf({ seed }: Pick<InboundProbe, "seed">): { readonly open: string; readonly closed: string } {
  return { open: `${seed}01`, closed: `${seed}00` };
}

/** What a probe shows by the datagrams that were heard. */
export function concludeInbound(
  probe: InboundProbe,
  heard: readonly HeardDatagram[],
  attempts: number,
): InboundVerification {
  const { router, kind, from, destination, target, closedPort, ipVersion } = probe;
  const marks = marksOf(probe);
  const reachedPort = heard.find(({ mark }) => mark === marks.open)?.port;
  const closedReachedPort = heard.find(({ mark }) => mark === marks.closed)?.port;
  return {
    router,
    kind,
    from,
    destination,
    target,
    ...(closedPort === undefined ? {} : { closedPort }),
    ipVersion,
    ...(reachedPort === undefined ? {} : { reachedPort }),
    ...(closedReachedPort === undefined ? {} : { closedReachedPort }),
    differences: [...differenceOfOpen(probe, reachedPort), ...differenceOfClosed(probe, closedReachedPort)],
    attempts,
  };
}

/** `middlebox nat-h declared UDP 198.18.0.4:4191 forwarded to ha-a:4191, observed nothing there (sent by ha-b)` */
export function describeInboundDifference(
  { router, from }: Pick<InboundVerification, "router" | "from">,
  { declared, observed }: Difference,
): string {
  return `router ${router} declared ${declared}, observed ${observed} (sent by ${from.node})`;
}

function differenceOfOpen(
  { kind, destination, target }: InboundProbe,
  port: number | undefined,
): readonly Difference[] {
  if (port === target.port) return [];
  const where = `${target.node}:${target.port}`;
  const declared =
    kind === "forward" ? `UDP ${formatEndpoint(destination)} forwarded to ${where}` : `a way in for UDP to ${where}`;
  return [
    {
      declared,
      observed: port === undefined ? "nothing there" : `${target.node}:${port}`,
      isSilence: port === undefined,
    },
  ];
}

function differenceOfClosed(
  { destination, target, closedPort }: InboundProbe,
  port: number | undefined,
): readonly Difference[] {
  if (closedPort === undefined || port === undefined) return [];
  const declared = `no way in for UDP to ${formatEndpoint({ ...destination, port: closedPort })}`;
  return [{ declared, observed: `one to ${target.node}:${port}`, isSilence: false }];
}
