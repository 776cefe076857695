/** Compares the forwards and pinholes that NATs and firewalls declare with where datagrams from outside arrived. */

import type { HeardDatagram } from "@testbed/agent/control";
import type { InboundProbe } from "../plan/inbound-probe-plan.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import type { Difference } from "./difference.ts";

/** The outcome of datagrams sent to a forward or pinhole, and to the port beside it. */
export interface InboundVerification
  extends Pick<
    InboundProbe,
    "router" | "kind" | "protocol" | "from" | "destination" | "target" | "closedPort" | "ipVersion"
  > {
  /** The target's port at which each datagram arrived; absent if it did not arrive. */
  readonly reachedPort?: number;
  readonly closedReachedPort?: number;
  readonly differences: readonly Difference[];
  /** Attempts made until silence was taken as an answer. */
  readonly attempts: number;
}

/** The marks of a probe's two datagrams: their whole payloads, octets in hex. */
export function marksOf({ seed }: Pick<InboundProbe, "seed">): { readonly open: string; readonly closed: string } {
  return { open: `${seed}01`, closed: `${seed}00` };
}

/** What a probe shows, from the datagrams that arrived. */
export function concludeInbound(
  probe: InboundProbe,
  heard: readonly HeardDatagram[],
  attempts: number,
): InboundVerification {
  const { router, kind, protocol, from, destination, target, closedPort, ipVersion } = probe;
  const marks = marksOf(probe);
  const reachedPort = heard.find(({ mark }) => mark === marks.open)?.port;
  const closedReachedPort = heard.find(({ mark }) => mark === marks.closed)?.port;
  return {
    router,
    kind,
    protocol,
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
  { kind, protocol, destination, target }: InboundProbe,
  port: number | undefined,
): readonly Difference[] {
  if (port === target.port) return [];
  const name = protocol.toUpperCase();
  const where = `${target.node}:${target.port}`;
  const declared =
    kind === "forward"
      ? `${name} ${formatEndpoint(destination)} forwarded to ${where}`
      : `a way in for ${name} to ${where}`;
  return [
    {
      declared,
      observed: port === undefined ? "nothing there" : `${target.node}:${port}`,
      isSilence: port === undefined,
    },
  ];
}

function differenceOfClosed(
  { protocol, destination, target, closedPort }: InboundProbe,
  port: number | undefined,
): readonly Difference[] {
  if (closedPort === undefined || port === undefined) return [];
  const declared = `no way in for ${protocol.toUpperCase()} to ${formatEndpoint({ ...destination, port: closedPort })}`;
  return [{ declared, observed: `one to ${target.node}:${port}`, isSilence: false }];
}
