/** Static routes: default routes, routes to networks behind routers that do not translate, and home prefixes. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { type Family, formatNetwork, parseNetwork, withoutLength } from "../model/address-text.ts";
import type { ResolvedRoute } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import { type Attachment, translates } from "./attachment.ts";

/**
 * Routes of every node by name. Reports gateways that serve no segment of the node, and loops; routes are then
 * incomplete.
 */
export function assignRoutes(
  topology: Topology,
  attachments: readonly Attachment[],
  interfaces: Interfaces,
  report: Report,
): ReadonlyMap<string, readonly ResolvedRoute[]> {
  const places = indexOf(attachments);
  const gateways = findGateways(topology, places, attachments, report);
  const context: Context = { topology, interfaces, gateways, ...places, announced: new Map() };
  if (!checkCircles(context, report) || !checkInside(context, report)) return new Map();
  return new Map([...topology.nodes.keys()].map((node) => [node, routesOf(context, node)]));
}

/** Attachments by node and by segment, in the order of the file. */
interface Places {
  readonly byNode: ReadonlyMap<string, readonly Attachment[]>;
  readonly bySegment: ReadonlyMap<string, readonly Attachment[]>;
}

interface Context extends Places {
  readonly topology: Topology;
  readonly interfaces: Interfaces;
  /** By node, in the order of its attachments; a router has one at most. */
  readonly gateways: Gateways;
  /** What has been found out about segments so far. */
  readonly announced: Map<string, readonly Announcement[]>;
}

function indexOf(attachments: readonly Attachment[]): Places {
  return {
    byNode: Map.groupBy(attachments, ({ node }) => node),
    bySegment: Map.groupBy(attachments, ({ segment }) => segment),
  };
}

type Gateways = ReadonlyMap<string, readonly Gateway[]>;

/** Where a node's default route leads: a router that serves the segment it is on. */
interface Gateway {
  readonly router: string;
  readonly segment: string;
}

/** On each segment of a node the gateway that it names, or else the only router whose LAN it is. */
function findGateways(
  topology: Topology,
  places: Places,
  attachments: readonly Attachment[],
  report: Report,
): Gateways {
  const gateways = new Map<string, Gateway[]>();
  const outward = attachments.filter(({ side }) => side !== "lan");
  for (const { node, segment, path } of outward) {
    const named = namedGateway(topology, places, node, segment);
    const routers = routersOf(places, segment).filter((router) => router !== node);
    const router = named ?? routers[0];
    if (router === undefined) continue;
    if (named === undefined && routers.length > 1) {
      const message = `expected one router that serves ${segment}; found ${routers.join(" and ")}; add \`gateway\` to ${node}`;
      report("unreachable", path, message);
    }
    if (routers.includes(router)) gateways.set(node, [...(gateways.get(node) ?? []), { router, segment }]);
    else if (topology.nodes.get(router)?.role === "router") reportUnservedGateway(node, segment, router, report);
  }
  return gateways;
}

/** The routers whose LAN a segment is. */
function routersOf({ bySegment }: Places, segment: string): readonly string[] {
  return (bySegment.get(segment) ?? []).flatMap(({ node, side }) => (side === "lan" ? [node] : []));
}

/** The gateway that a node names, unless that serves only another segment of the node. */
function namedGateway({ nodes }: Topology, { byNode }: Places, node: string, segment: string): string | undefined {
  const named = nodes.get(node)?.gateway;
  if (named === undefined) return undefined;
  const own = new Set((byNode.get(node) ?? []).map((attachment) => attachment.segment));
  const served = (byNode.get(named) ?? []).filter(({ side }) => side === "lan");
  const isMeantElsewhere =
    served.some((attachment) => own.has(attachment.segment)) &&
    !served.some((attachment) => attachment.segment === segment);
  return isMeantElsewhere ? undefined : named;
}

function reportUnservedGateway(node: string, segment: string, router: string, report: Report): void {
  const message =
    `expected a router that serves ${segment}, the segment of ${node}; found ${router}, which has no \`lan\` there: ` +
    `the default route would lead nowhere; name another router or add ${segment} to the \`lan\` of ${router}`;
  report("unreachable", ["nodes", node, "gateway"], message);
}

/** Whether default routes lead outwards; reports loops. */
function checkCircles({ gateways }: Context, report: Report): boolean {
  let isSound = true;
  const reported = new Set<string>();
  for (const start of gateways.keys()) {
    const seen: string[] = [];
    let node: string | undefined = start;
    while (node !== undefined && !seen.includes(node)) {
      seen.push(node);
      node = gateways.get(node)?.[0]?.router;
    }
    if (node === undefined) continue;
    isSound = false;
    const circle = seen.slice(seen.indexOf(node));
    if (circle.some((member) => reported.has(member))) continue;
    for (const member of circle) reported.add(member);
    const message = `expected a default route that leads outwards; found a circle: ${[...circle, node].join(" → ")}; change a \`wan\``;
    report("unreachable", ["nodes", node], message, "key");
  }
  return isSound;
}

/**
 * Whether no router lies inside of itself: each router is inside of those whose `lan` its `wan` is. What lies behind it
 * would have no end.
 */
function checkInside(context: Context, report: Report): boolean {
  const done = new Set<string>();
  const circles: (readonly string[])[] = [];
  const follow = (router: string, outer: readonly string[]): void => {
    const way = [...outer, router];
    if (outer.includes(router)) circles.push(way.slice(outer.indexOf(router)));
    if (done.has(router)) return;
    done.add(router);
    for (const inner of routersInside(context, router)) follow(inner, way);
  };
  for (const [name, { role }] of context.topology.nodes) if (role === "router") follow(name, []);
  for (const circle of circles) {
    const message = `expected routers one inside of the other; found a circle: ${circle.join(" → ")}, each with its \`wan\` on a \`lan\` of the one before; change a \`wan\``;
    report("unreachable", ["nodes", circle[0] ?? ""], message, "key");
  }
  return circles.length === 0;
}

function routersInside({ byNode, bySegment }: Context, router: string): readonly string[] {
  const lans = (byNode.get(router) ?? []).filter(({ side }) => side === "lan");
  return lans.flatMap(({ segment }) =>
    (bySegment.get(segment) ?? []).flatMap(({ node, side }) => (side === "wan" ? [node] : [])),
  );
}

function routesOf(context: Context, node: string): readonly ResolvedRoute[] {
  const own = context.byNode.get(node) ?? [];
  const connected = new Set(own.flatMap(({ segment }) => networksOf(context, segment)));
  // A network inside of a router is reached inside, though another router may announce it outside.
  const insideFirst = own.toSorted((a, b) => Number(b.side === "lan") - Number(a.side === "lan"));
  const specific = insideFirst.flatMap(({ segment }) =>
    announcedOn(context, segment)
      .filter((route) => route.router !== node && !connected.has(route.prefix))
      .filter((route) => !(route.isHome && isMobile(context, node)))
      .flatMap((route) => routeTo(context, node, segment, route.router, route.prefix)),
  );
  const defaults = (context.gateways.get(node) ?? []).flatMap(({ segment, router }) =>
    ["0.0.0.0/0", "::/0"].flatMap((prefix) => routeTo(context, node, segment, router, prefix)),
  );
  // A mobile node uses all of its segments at once: each has its own default route.
  return [...firstPerPrefix(specific), ...(isMobile(context, node) ? defaults : firstPerPrefix(defaults))];
}

/** Of several routers to one network, the first in the file is used. */
function firstPerPrefix(routes: readonly ResolvedRoute[]): readonly ResolvedRoute[] {
  const byPrefix = new Map<string, ResolvedRoute>();
  for (const route of routes) if (!byPrefix.has(route.to)) byPrefix.set(route.to, route);
  return [...byPrefix.values()];
}

/** A network behind a node, for which the node's neighbours on a segment need a route. */
interface Announcement {
  readonly router: string;
  readonly prefix: string;
  /** A home prefix; mobile nodes reach those through their own home agent. */
  readonly isHome: boolean;
}

/** Networks behind the nodes of a segment: LANs or their translated prefixes, and home prefixes. */
function announcedOn(context: Context, segment: string): readonly Announcement[] {
  const known = context.announced.get(segment);
  if (known !== undefined) return known;
  const here = (context.bySegment.get(segment) ?? []).filter(({ side }) => side !== "lan");
  const announced = firstOfEach(
    here.flatMap(({ node }) => announcedBy(context, node)),
    ANNOUNCERS,
  );
  context.announced.set(segment, announced);
  return announced;
}

/** A node uses the first announcer of a prefix; for that one itself, the second counts. */
const ANNOUNCERS = 2;

/** The first `count` announcements of each prefix. Between routers in parallel they would double at every step. */
function firstOfEach(announced: readonly Announcement[], count: number): readonly Announcement[] {
  const seen = new Map<string, number>();
  return announced.filter(({ prefix, isHome }) => {
    const key = `${prefix} ${isHome}`;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before < count;
  });
}

function announcedBy(context: Context, node: string): readonly Announcement[] {
  const entry = context.topology.nodes.get(node);
  if (entry?.role === "home-agent")
    return [{ router: node, prefix: formatNetwork(parseNetwork(entry.homePrefix)), isHome: true }];
  if (entry?.role !== "router") return [];
  const lans = (context.byNode.get(node) ?? []).filter(({ side }) => side === "lan");
  const behind = lans.flatMap(({ segment }) => [
    ...networksOf(context, segment).map((prefix) => ({ prefix, isHome: false })),
    ...announcedOn(context, segment),
  ]);
  const visible = behind.filter(({ prefix, isHome }) => isHome || !translates(entry, familyOfPrefix(prefix)));
  const translated = ([4, 6] as const).flatMap((family) => entry.prefixTranslation?.[`ipv${family}`] ?? []);
  const own = [...visible, ...translated.map((text) => ({ prefix: formatNetwork(parseNetwork(text)), isHome: false }))];
  return firstOfEach(
    own.map(({ prefix, isHome }) => ({ router: node, prefix, isHome })),
    1,
  );
}

function networksOf({ topology }: Context, segment: string): readonly string[] {
  const { ipv4, ipv6 } = topology.segments.get(segment) ?? {};
  return [ipv4, ipv6].filter((network) => network !== undefined).map((network) => formatNetwork(parseNetwork(network)));
}

/** The route, if both nodes have an address of its IP version on that segment. */
function routeTo(context: Context, node: string, segment: string, router: string, to: string): ResolvedRoute[] {
  const key = `ipv${familyOfPrefix(to)}` as const;
  const own = interfaceOn(context, node, segment);
  const via = interfaceOn(context, router, segment)?.[key];
  if (own?.[key] === undefined || via === undefined) return [];
  return [{ to, via: withoutLength(via), interfaceName: own.interfaceName }];
}

function interfaceOn({ interfaces }: Context, node: string, segment: string) {
  return interfaces.get(node)?.find((candidate) => candidate.segment === segment);
}

function familyOfPrefix(prefix: string): Family {
  return prefix.includes(":") ? 6 : 4;
}

function isMobile({ topology }: Context, node: string): boolean {
  const role = topology.nodes.get(node)?.role;
  return role === "mobile-node" || role === "correspondent-node";
}
