/** Drawing of a topology: segments as bars, the outermost on top, routers between segments, hosts below. */

import { describePrefix } from "../../topology/describe/describe-middlebox.ts";
import { describeProgram } from "../../topology/describe/describe-program.ts";
import { describeFirewall } from "../../topology/model/presets.ts";
import type {
  ResolvedInterface,
  ResolvedNode,
  ResolvedRouter,
  ResolvedTopology,
} from "../../topology/model/resolved.ts";
import { html, type Markup } from "./markup.ts";

const NODE = { width: 176, height: 76, gap: 20 } as const;
/** Room for two addresses between a node and the segment below. */
const LEVEL_HEIGHT = 190;
const SEGMENT_HEIGHT = 26;
/** Widths of a character in a segment's name and in its networks, rounded up, and of the two ends of its bar. */
const SEGMENT_LABEL = { name: 8, network: 6.5, ends: 30 } as const;
const TOP = 8;
/** Addresses are to the right of their line and extend beyond the last node. */
const MARGIN = 44;

/** A segment and the nodes drawn below it. */
interface Branch {
  readonly segment: string;
  readonly leaves: readonly Hanging[];
}

/** A node, and the segments reached only through it. */
interface Hanging {
  readonly node: ResolvedNode;
  readonly below: readonly Branch[];
}

interface Placed {
  readonly parts: readonly Markup[];
  readonly width: number;
  readonly bottom: number;
}

/** Draws a topology as SVG; separate trees of segments are drawn side by side. */
export function drawTopology(topology: ResolvedTopology): Markup {
  let x = MARGIN;
  let bottom = 0;
  const parts: Markup[] = [];
  for (const branch of branchesOf(topology)) {
    const placed = placeBranch(branch, x, TOP, topology);
    parts.push(...placed.parts);
    x += placed.width + NODE.gap;
    bottom = Math.max(bottom, placed.bottom);
  }
  const width = x - NODE.gap + MARGIN;
  return html`<svg class="topology" viewBox="0 0 ${width} ${bottom + TOP}" style="max-width:${width}px" role="img" aria-label="Topology">${parts}</svg>`;
}

/** Trees of segments; each segment and each node appears once, under the first segment that reaches it. */
function branchesOf({ segments, nodes }: ResolvedTopology): readonly Branch[] {
  const seenSegments = new Set<string>();
  const seenNodes = new Set<string>();
  const on = (segment: string): readonly ResolvedNode[] =>
    nodes.filter(({ interfaces }) => interfaces.some((entry) => entry.segment === segment));
  const grow = (segment: string): Branch => {
    seenSegments.add(segment);
    const fresh = on(segment).filter(({ name }) => !seenNodes.has(name));
    for (const { name } of fresh) seenNodes.add(name);
    const leaves = fresh.map((node) => ({
      node,
      below: segmentsBelow(node).flatMap((segment) => (seenSegments.has(segment) ? [] : [grow(segment)])),
    }));
    return { segment, leaves };
  };
  const busiestFirst = segments.map(({ name }) => name).toSorted((a, b) => on(b).length - on(a).length);
  return busiestFirst.flatMap((segment) => (seenSegments.has(segment) ? [] : [grow(segment)]));
}

/** Only routers have segments below: a host on several segments is drawn below one, and lists the others. */
function segmentsBelow({ role, interfaces }: ResolvedNode): readonly string[] {
  return role === "router" ? interfaces.map(({ segment }) => segment) : [];
}

/** Widths by branch: each is asked for at every level above it. */
const knownWidths = new WeakMap<Branch, number>();

/** Width of a bar: of its label, or of the nodes below it. */
function widthOf(branch: Branch, topology: ResolvedTopology): number {
  const known = knownWidths.get(branch);
  if (known !== undefined) return known;
  const label = segmentLabel(branch.segment, topology);
  const { name, network, ends } = SEGMENT_LABEL;
  const labelWidth = Math.ceil(name * label.name.length + network * label.networks.length + ends);
  const width = Math.max(leavesWidthOf(branch, topology), labelWidth, NODE.width);
  knownWidths.set(branch, width);
  return width;
}

function leavesWidthOf({ leaves }: Branch, topology: ResolvedTopology): number {
  const widths = leaves.map(({ below }) =>
    Math.max(sideBySide(below.map((branch) => widthOf(branch, topology))), NODE.width),
  );
  return sideBySide(widths);
}

function sideBySide(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + NODE.gap, 0) - (widths.length > 0 ? NODE.gap : 0);
}

/** A bar with the nodes below it centred. */
function placeBranch(branch: Branch, x: number, y: number, topology: ResolvedTopology): Placed {
  const label = segmentLabel(branch.segment, topology);
  const width = widthOf(branch, topology);
  const { parts, bottom } = placeLeaves(branch, x + (width - leavesWidthOf(branch, topology)) / 2, y, topology);
  return { parts: [...parts, drawSegment(label, x, y, width)], width, bottom };
}

function placeLeaves(
  { segment, leaves }: Branch,
  x: number,
  y: number,
  topology: ResolvedTopology,
): Omit<Placed, "width"> {
  const parts: Markup[] = [];
  let right = x;
  let bottom = y + SEGMENT_HEIGHT;
  for (const hanging of leaves) {
    const placed = placeHanging(hanging, segment, right, y, topology);
    parts.push(...placed.parts);
    right += placed.width + NODE.gap;
    bottom = Math.max(bottom, placed.bottom);
  }
  return { parts, bottom };
}

function placeHanging(
  { node, below }: Hanging,
  segment: string,
  x: number,
  segmentY: number,
  topology: ResolvedTopology,
): Placed {
  const y = segmentY + 74;
  const parts: Markup[] = [];
  let right = x;
  let bottom = y + NODE.height;
  const joints: number[] = [];
  for (const branch of below) {
    const placed = placeBranch(branch, right, segmentY + LEVEL_HEIGHT, topology);
    joints.push(right + placed.width / 2);
    parts.push(...placed.parts);
    right += placed.width + NODE.gap;
    bottom = Math.max(bottom, placed.bottom);
  }
  const width = Math.max(right - NODE.gap - x, NODE.width);
  const left = x + (width - NODE.width) / 2;
  const centre = left + NODE.width / 2;
  const up = node.interfaces.find((entry) => entry.segment === segment);
  const lines = [
    html`<line x1="${centre}" y1="${segmentY + SEGMENT_HEIGHT}" x2="${centre}" y2="${y}"/>`,
    addressLabels(up, centre, segmentY + SEGMENT_HEIGHT + 16),
    ...below.map((branch, i) => {
      const joint = joints[i] ?? centre;
      const down = node.interfaces.find((entry) => entry.segment === branch.segment);
      return html`<line x1="${centre}" y1="${y + NODE.height}" x2="${joint}" y2="${segmentY + LEVEL_HEIGHT}"/>${addressLabels(down, joint, y + NODE.height + 15)}`;
    }),
  ];
  return { parts: [...lines, drawNode(node, left, y), ...parts], width, bottom };
}

interface SegmentLabel {
  readonly name: string;
  readonly networks: string;
}

function segmentLabel(segment: string, { segments }: ResolvedTopology): SegmentLabel {
  const found = segments.find(({ name }) => name === segment);
  const apart = found?.isIsolated === true ? "clients kept apart" : undefined;
  const mtu = found?.mtuOctets === undefined ? undefined : `MTU ${found.mtuOctets}`;
  const networks = [found?.ipv4, found?.ipv6, mtu, apart].filter((network) => network !== undefined).join("  ");
  return { name: segment, networks };
}

function drawSegment({ name, networks }: SegmentLabel, x: number, y: number, width: number): Markup {
  return html`<g class="segment"><rect x="${x}" y="${y}" width="${width}" height="${SEGMENT_HEIGHT}" rx="13"/>
<text x="${x + width / 2}" y="${y + 17}"><tspan class="name">${name}</tspan> <tspan class="small">${networks}</tspan></text></g>`;
}

function drawNode(node: ResolvedNode, x: number, y: number): Markup {
  const centre = x + NODE.width / 2;
  const details = [...detailsOf(node), ...alsoOn(node)];
  return html`<g class="node ${node.role}"><rect x="${x}" y="${y}" width="${NODE.width}" height="${NODE.height}" rx="6"/>
<text class="name" x="${centre}" y="${y + 20}">${node.name}</text>
${details.map((line, i) => html`<text class="small" x="${centre}" y="${y + 38 + 15 * i}">${line}</text>`)}</g>`;
}

function addressLabels(found: ResolvedInterface | undefined, x: number, y: number): Markup {
  const addresses = [found?.ipv4, found?.ipv6].filter((address) => address !== undefined);
  return html`${addresses.map((address, i) => html`<text class="address" x="${x + 5}" y="${y + 13 * i}">${address.replace(/\/\d+$/, "")}</text>`)}`;
}

/** Other segments of a host than the one it is drawn below. */
function alsoOn({ role, interfaces }: ResolvedNode): readonly string[] {
  const [, ...others] = interfaces.map(({ segment }) => segment);
  return role === "router" || others.length === 0 ? [] : [`also on ${others.join(", ")}`];
}

/** Short lines under a node's name: two, or three with unusual details. */
function detailsOf(node: ResolvedNode): readonly string[] {
  switch (node.role) {
    case "router":
      return routerDetails(node);
    case "home-agent":
      return ["home agent, STUN", node.homePrefix];
    case "mobile-node":
      return ["mobile node", node.homeAddress];
    case "correspondent-node":
      return ["correspondent node", node.homeAddress];
    case "stationary-node":
      return ["stationary node", node.address];
    default:
      return [node.role, node.role === "host" ? describeProgram(node) : ""];
  }
}

function routerDetails({ nat, prefixes, firewall }: ResolvedRouter): readonly string[] {
  const policy = describeFirewall(firewall);
  if (nat === undefined) return [[...prefixes.map(describePrefix), "firewall"].join(", "), policy];
  const behaviour = [`maps ${shortened(nat.mapping)}`, `filters ${shortened(nat.filtering)}`];
  return policy === "stateful" ? behaviour : [...behaviour, `firewall: ${policy}`];
}

function shortened(dependence: string): string {
  return dependence
    .replace("-dependent", "")
    .replace("endpoint-independent", "for all alike")
    .replace(/^address/, "by address");
}
