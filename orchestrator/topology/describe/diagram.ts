/** A diagram of a topology as Mermaid text, which code hosts render in Markdown. */

import { formatEndpoint, withoutLength } from "../model/address-text.ts";
import { describeFirewall, describeNat } from "../model/presets.ts";
import type { ResolvedNode, ResolvedSegment, ResolvedTopology } from "../model/resolved.ts";
import { describeLink } from "./describe-link.ts";
import { describeAddresses, describeLimits, describePortMapping } from "./describe-middlebox.ts";
import { describeProgram } from "./describe-program.ts";

/** Segments as rounded shapes, nodes as boxes, addresses and link impairments on the lines between them. */
export function renderDiagram({ segments, nodes }: ResolvedTopology): string {
  const segmentIds = new Map(segments.map(({ name }, i) => [name, `segment${i}`]));
  const lines = [
    ...segments.map((segment) => `${segmentIds.get(segment.name) ?? ""}(["${segmentLabel(segment)}"])`),
    ...nodes.map((node, i) => `node${i}["${nodeLabel(node)}"]`),
    ...nodes.flatMap((node, i) =>
      node.interfaces.map(({ segment, interfaceName, ipv4, ipv6, pool = [], impairment }) => {
        const addresses = [ipv4, ...pool, ipv6].filter((address) => address !== undefined).map(withoutLength);
        const label = [...addresses, ...describeLink(impairment ?? {})].join("<br/>");
        const [segmentId, nodeId] = [segmentIds.get(segment) ?? "", `node${i}`];
        // Inside segments are drawn below.
        const [above, below] = isInside(node, interfaceName) ? [nodeId, segmentId] : [segmentId, nodeId];
        return `${above} ---|"${label}"| ${below}`;
      }),
    ),
  ];
  return `flowchart TB\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function isInside(node: ResolvedNode, interfaceName: string): boolean {
  return node.role === "router" && node.lan.includes(interfaceName);
}

function segmentLabel({ name, ipv4, ipv6, isIsolated, mtuOctets }: ResolvedSegment): string {
  const mtu = mtuOctets === undefined ? undefined : `MTU ${mtuOctets}`;
  const apart = isIsolated === true ? "clients kept apart" : undefined;
  return [`<b>${name}</b>`, ipv4, ipv6, mtu, apart].filter((line) => line !== undefined).join("<br/>");
}

function nodeLabel(node: ResolvedNode): string {
  return [`<b>${node.name}</b>`, ...nodeDetails(node)].join("<br/>");
}

function nodeDetails(node: ResolvedNode): readonly string[] {
  switch (node.role) {
    case "router":
      return [
        ...node.prefixes.map(({ inside, outside }) => `${inside} is ${outside} outside`),
        ...middleboxDetails(node),
        ...describeAddresses(node),
        ...describeLimits(node),
        ...forwardLines(node),
        ...describePortMapping(node),
      ];
    case "home-agent":
      return ["home agent", node.homePrefix];
    case "stun-server":
      return ["STUN server"];
    case "dns":
      return ["name server"];
    case "mobile-node":
    case "correspondent-node":
      return [node.role.replace("-", " "), `home ${node.homeAddress}`];
    case "stationary-node":
      return ["stationary node", ...PLAIN[node.speaks]];
    case "host":
      return [`host ${describeProgram(node)}`];
  }
}

type Router = Extract<ResolvedNode, { readonly role: "router" }>;

const PLAIN = { "m-ice": [], "mobile-ipv6": ["plain Mobile IPv6"], ipv6: ["plain IPv6"] } as const;

function unusualFirewall(firewall: Router["firewall"]): readonly string[] {
  const name = describeFirewall(firewall);
  return name === "stateful" ? [] : [`firewall: ${name}`];
}

function forwardLines({ forwards }: Router): readonly string[] {
  return forwards.map(
    ({ protocol, port, to, toPort }) =>
      `${protocol.toUpperCase()} ${port} goes to ${formatEndpoint({ ip: to, port: toPort })}`,
  );
}

function middleboxDetails({ nat, firewall }: Router): readonly string[] {
  return nat === undefined
    ? [`router, ${describeFirewall(firewall)}`]
    : [`NAT: ${describeNat(nat)}`, ...unusualFirewall(firewall)];
}
