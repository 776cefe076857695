/** Resolves the impairments of links in each direction. */

import type { Impairment, LinkDirection, PacketLimits } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import { listNames, nearestName } from "../file/nearest-name.ts";
import type { ImpairmentEntry, LinkEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import { bitPerSecOf, shareOf } from "../model/link-units.ts";
import type { ResolvedLinkImpairments } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import type { Attachment } from "./attachment.ts";
import { isBroken } from "./expect-name.ts";

/** The interfaces with the impairments of their links. Links that do not exist are reported. */
export function imposeLinks(
  topology: Topology,
  attachments: readonly Attachment[],
  interfaces: Interfaces,
  report: Report,
): Interfaces {
  const impairments = new Map<string, ResolvedLinkImpairments>();
  const known = new Set(attachments.map(({ node, segment }) => linkName(node, segment)));
  for (const [link, entry] of topology.links) {
    const path = ["links", link];
    const resolved = resolveLink(entry, path, report);
    if (checkLink({ topology, known, link, path }, report) && Object.keys(resolved).length > 0)
      impairments.set(link, resolved);
  }
  for (const { entry, path } of topology.timeline) {
    const { link } = entry;
    if (link === undefined || !checkLink({ topology, known, link, path: [...path, "link"] }, report)) continue;
    // A link that is impaired later is impaired from the start, with none: emulation cannot be added while data flows.
    const { out = {}, in: inbound = {} } = impairments.get(link) ?? {};
    const { mtu, fragments } = entry.conditions ?? {};
    // Nor can the way in which it is emulated be changed: what has limits later has them from the start, with none.
    const none = mtu === undefined && fragments === undefined ? {} : { limits: {} };
    impairments.set(link, { out: { ...none, ...out }, in: { ...none, ...inbound } });
  }
  return new Map(
    [...interfaces].map(([node, own]) => [
      node,
      own.map((attached) => {
        const impairment = impairments.get(linkName(node, attached.segment));
        return impairment === undefined ? attached : { ...attached, impairment };
      }),
    ]),
  );
}

/** `nat-a/internet`: a link as files and reports name it. */
export function linkName(node: string, segment: string): string {
  return `${node}/${segment}`;
}

/** A link in a file, with its path; `known` are all links there are. */
interface NamedLink {
  readonly topology: Topology;
  readonly known: ReadonlySet<string>;
  readonly link: string;
  readonly path: IssuePath;
}

function checkLink({ topology, known, link, path }: NamedLink, report: Report): boolean {
  const [node = "", segment] = link.split("/");
  // The shape of the name is reported where the file is read.
  if (segment === undefined) return false;
  if (known.has(link)) return true;
  if (isBroken(topology, "nodes", node)) return false;
  const near = nearestName(link, [...known]);
  const own = [...known].filter((candidate) => candidate.startsWith(`${node}/`));
  const advice =
    near === undefined ? `there are: ${listNames(own.length > 0 ? own : [...known])}` : `did you mean ${near}?`;
  report(
    "unknown-reference",
    path,
    `expected <node>/<segment> of a node on that segment; found "${link}"; ${advice}`,
    path[0] === "links" ? "key" : undefined,
  );
  return false;
}

/** Keys beside `out` and `in` apply to both directions; the keys of a direction override them. */
export function resolveLink(
  { mtu, tooBig, fragments, ...entry }: LinkEntry,
  path: IssuePath,
  report: Report,
): ResolvedLinkImpairments {
  const { out, in: inbound } = resolveDirections(entry, path, report);
  const limits: PacketLimits = {
    ...(mtu === undefined ? {} : { mtuOctets: mtu }),
    ...(tooBig === "drop" ? { isSilent: true } : {}),
    ...(fragments === "drop" ? { dropsFragments: true } : {}),
  };
  if (Object.keys(limits).length === 0) return { ...(out && { out }), ...(inbound && { in: inbound }) };
  return { out: { ...out, limits }, in: { ...inbound, limits } };
}

function resolveDirections(
  { out, in: inbound, ...both }: Omit<LinkEntry, "mtu" | "tooBig" | "fragments">,
  path: IssuePath,
  report: Report,
): ResolvedLinkImpairments {
  const own = (entry: ImpairmentEntry, key: LinkDirection) =>
    resolveImpairment({ ...both, ...entry }, [...path, key], report);
  const isShared = Object.keys(both).length > 0 && (out === undefined || inbound === undefined);
  const shared = isShared ? resolveImpairment(both, path, report) : undefined;
  const leaving = out === undefined ? shared : own(out, "out");
  const arriving = inbound === undefined ? shared : own(inbound, "in");
  return {
    ...(leaving === undefined ? {} : { out: leaving }),
    ...(arriving === undefined ? {} : { in: arriving }),
  };
}

function resolveImpairment(entry: ImpairmentEntry, path: IssuePath, report: Report): Impairment {
  checkCompanions(entry, path, report);
  const { delay, jitter, loss, burst, duplicate, reorder, rate, queue, corrupt } = entry;
  const impairment = {
    ...present("delayMs", delay, durationMs),
    ...present("jitterMs", jitter, durationMs),
    ...present("lossRate", loss, shareOf),
    ...(burst === undefined ? {} : { lossBurst: burst }),
    ...present("duplicateRate", duplicate, shareOf),
    ...present("reorderRate", reorder, shareOf),
    ...present("rateBitPerSec", rate, bitPerSecOf),
    ...(queue === undefined ? {} : { queuePackets: queue }),
    ...present("corruptRate", corrupt, shareOf),
  };
  checkFigures(impairment, path, report);
  return impairment;
}

/** Reports keys that mean nothing without another one. */
function checkCompanions(entry: ImpairmentEntry, path: IssuePath, report: Report): void {
  const companions = { jitter: "delay", reorder: "delay", burst: "loss", queue: "rate" } as const;
  for (const [key, companion] of Object.entries(companions) as [keyof typeof companions, "delay" | "loss" | "rate"][]) {
    if (entry[key] === undefined || entry[companion] !== undefined) continue;
    report(
      "missing",
      [...path, key],
      `expected \`${companion}\` beside \`${key}\`; found none; add it, or remove \`${key}\``,
    );
  }
}

function checkFigures(impairment: Impairment, path: IssuePath, report: Report): void {
  const { delayMs = 0, jitterMs = 0, lossRate = 0, lossBurst = 1 } = impairment;
  if (impairment.delayMs !== undefined && jitterMs > delayMs)
    report("bad-value", [...path, "jitter"], `expected at most the delay of ${delayMs} ms; found ${jitterMs} ms`);
  // A run of losses is followed by at least one packet that arrives.
  if (lossRate < 1 && lossBurst > 1 && lossRate > lossBurst / (lossBurst + 1))
    report(
      "bad-value",
      [...path, "burst"],
      `expected longer runs for a loss of ${rounded(lossRate * 100)}%: at least ${Math.ceil(rounded(lossRate / (1 - lossRate)))}; found ${lossBurst}`,
    );
}

/** Removes floating-point noise. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}

function present<Key extends string>(
  key: Key,
  text: string | undefined,
  read: (text: string) => number,
): { readonly [K in Key]?: number } {
  return (text === undefined ? {} : { [key]: read(text) }) as { readonly [K in Key]?: number };
}
