/** Which segments a node is attached to, and how, before it has addresses. */

import type { IssuePath } from "../file/issue.ts";
import type { NodeEntry, RouterEntry } from "../file/schema.ts";
import type { Family } from "../model/address-text.ts";

export interface Attachment {
  readonly node: string;
  readonly segment: string;
  /**
   * `lan`: the node is a router and this is an inside segment; `wan`: an outside segment; `on`: the node is no router.
   */
  readonly side: "wan" | "lan" | "on";
  /** Its path in the file. */
  readonly path: IssuePath;
}

/** A node's attachments in the order of its interfaces: the outside first. */
export function attachmentsOf(node: string, entry: NodeEntry): Attachment[] {
  const listed = (segments: string | readonly string[], side: Attachment["side"]): Attachment[] =>
    typeof segments === "string"
      ? [{ node, segment: segments, side, path: ["nodes", node, side] }]
      : segments.map((segment, i) => ({ node, segment, side, path: ["nodes", node, side, i] }));
  if (entry.role !== "router") return listed(entry.on, "on");
  return [...listed(entry.wan, "wan"), ...listed(entry.lan, "lan")];
}

/** The keys by which a router translates IPv4 addresses and ports; undefined where they are a name, or none. */
export function natKeysOf({ nat, nat64 }: RouterEntry) {
  return nat64 ?? (typeof nat === "object" ? nat : undefined);
}

/** Whether a router translates IPv4 addresses and ports, of IPv4 hosts or of IPv6 ones. */
export function hasNat({ nat, nat64 }: RouterEntry): boolean {
  return (nat !== undefined && nat !== "none") || nat64 !== undefined;
}

/** Whether a router translates addresses of an IP version, so that its inside networks are not visible outside. */
export function translates(entry: NodeEntry, family: Family): boolean {
  if (entry.role !== "router") return false;
  if (entry.prefixTranslation?.[`ipv${family}`] !== undefined) return true;
  return family === 4 && hasNat(entry);
}
