/** Checks the MTUs of segments and links against IPv6. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { LinkEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import type { Attachment } from "./attachment.ts";

/** RFC 8200 section 5. */
const LEAST_IPV6_MTU = 1280;

/** Reports MTUs that are too small for the IPv6 that runs there, and `tooBig` without `mtu`. */
export function checkMtus(topology: Topology, attachments: readonly Attachment[], report: Report): void {
  for (const [name, { mtu, ipv6 }] of topology.segments)
    if (mtu !== undefined && mtu < LEAST_IPV6_MTU && ipv6 !== undefined)
      report("bad-value", ["segments", name, "mtu"], tooSmall(mtu, `segment ${name}`));
  for (const [link, entry] of topology.links)
    checkLinkMtu({ topology, attachments, link }, entry, ["links", link], report);
  for (const { entry, path } of topology.timeline)
    if (entry.link !== undefined && entry.conditions !== undefined)
      checkLinkMtu({ topology, attachments, link: entry.link }, entry.conditions, [...path, "conditions"], report);
}

interface NamedLink {
  readonly topology: Topology;
  readonly attachments: readonly Attachment[];
  readonly link: string;
}

function checkLinkMtu(named: NamedLink, { mtu, tooBig }: LinkEntry, path: IssuePath, report: Report): void {
  if (tooBig !== undefined && mtu === undefined)
    report("missing", [...path, "tooBig"], "expected `mtu` beside `tooBig`; found none; add it, or remove `tooBig`");
  if (mtu !== undefined && mtu < LEAST_IPV6_MTU && carriesIpv6(named))
    report("bad-value", [...path, "mtu"], tooSmall(mtu, `link ${named.link}`));
}

/** Whether IPv6 passes a link: a router's own address alone sends nothing. */
function carriesIpv6({ topology, attachments, link }: NamedLink): boolean {
  const [node = "", segment = ""] = link.split("/");
  const hasIpv6 = (name: string): boolean => topology.segments.get(name)?.ipv6 !== undefined;
  if (topology.nodes.get(node)?.role !== "router") return hasIpv6(segment);
  const others = attachments.filter((attachment) => attachment.node === node && attachment.segment !== segment);
  return hasIpv6(segment) && others.some((attachment) => hasIpv6(attachment.segment));
}

function tooSmall(mtu: number, where: string): string {
  return `expected an MTU of at least ${LEAST_IPV6_MTU} where IPv6 runs; found ${mtu} on ${where}; raise it, or leave IPv6 out there`;
}
