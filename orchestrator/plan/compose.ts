/**
 * A plan as a Compose file, for a lab by hand: the same nodes with the same set-up, here in an environment variable. It
 * is beside `plan.ts` and not in `render/`, because it is a form of the plan and not a text that the plan carries.
 *
 * The file has no `version`: both Debian's docker-compose (1.27 or later) and `docker compose` read it as the Compose
 * Specification, and the latter warns about the key.
 */

import { type NodeSetup, SETUP_VARIABLE } from "@testbed/agent/control";
import type { NodeSpec, Plan, ProgramSpec } from "./plan.ts";
import { neighboursOn, SEGMENT_BRIDGE_OPTIONS } from "./shared-segment.ts";

export interface ComposeOptions {
  /** Image of the nodes; may contain a Compose variable such as `${NAME:-default}`. */
  readonly image: string;
  /** Comment lines at the top of the file. */
  readonly header: readonly string[];
}

/**
 * Text of the Compose file. Segments are bridge networks with throwaway subnets of 10.213.0.0/16 and a unique local
 * prefix; nodes find their interfaces by them and remove them before anything is sent. The subnets are fixed: one lab
 * at a time.
 */
export function renderCompose(plan: Plan, { image, header }: ComposeOptions): string {
  const services = plan.nodes.flatMap((node) => service(plan, node, image));
  return [
    ...header.map((line) => `# ${line}`.trimEnd()),
    "services:",
    ...services.map((line) => `  ${line}`.trimEnd()),
    ...plan.programs.flatMap(programService).map((line) => `  ${line}`.trimEnd()),
    "networks:",
    ...plan.segments.flatMap(({ name }, i) => network(name, i)).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** Throwaway addresses on segment number `i`: a /26 whose first address is the engine's. */
const throwaway = {
  ipv4Subnet: (i: number) => `10.213.${i}.0/26`,
  ipv6Subnet: (i: number) => `fd6d:6963:65:${i.toString(16)}::/64`,
  ipv4: (i: number, host: number) => `10.213.${i}.${host}`,
  ipv6: (i: number, host: number) => `fd6d:6963:65:${i.toString(16)}::${host.toString(16)}`,
};

/** Where nodes' throwaway addresses begin; `.1` is the engine's. */
const FIRST_HOST = 2;

function service(plan: Plan, node: NodeSpec, image: string): readonly string[] {
  const attachments = node.segments.map((segment) => attachmentOf(plan, node, segment));
  const interfaces = node.setup.interfaces.map((iface, i) => ({
    ...iface,
    find: { by: "address" as const, address: attachments[i]?.ipv4 ?? "" },
    neighbours: neighboursOn(iface.segment, node, plan.nodes),
  }));
  const dependencies = dependenciesOf(plan, node);
  return [
    `${node.name}:`,
    `  image: ${image}`,
    `  hostname: ${node.name}`,
    "  cap_drop: [ALL]",
    "  cap_add: [NET_ADMIN, NET_RAW]",
    "  security_opt: [no-new-privileges]",
    ...(node.tun ? ['  devices: ["/dev/net/tun:/dev/net/tun"]'] : []),
    "  dns: [127.0.0.1]",
    "  dns_search: [.]",
    ...(dependencies.length === 0 ? [] : [`  depends_on: [${dependencies.join(", ")}]`]),
    "  sysctls:",
    ...Object.entries(node.sysctls).map(([key, value]) => `    ${key}: "${value}"`),
    "  networks:",
    ...attachments.map(
      ({ segment, ipv4, ipv6 }) => `    ${segment}: { ipv4_address: ${ipv4}, ipv6_address: "${ipv6}" }`,
    ),
    "  environment:",
    `    ${SETUP_VARIABLE}: |`,
    ...setupLines({ ...node.setup, interfaces }).map((line) => `      ${escapeDollars(line)}`),
  ];
}

/** JSON with one line for each key, and one for each entry of a list. */
function setupLines(setup: NodeSetup): readonly string[] {
  const entries = Object.entries(setup).map(([key, value]: [string, unknown]) => {
    if (!Array.isArray(value) || value.length === 0) return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    const items = value.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
    return `  ${JSON.stringify(key)}: [\n${items}\n  ]`;
  });
  return `{\n${entries.join(",\n")}\n}`.split("\n");
}

/** Throwaway addresses of a node on a segment, counted in the order of the plan. */
function attachmentOf({ segments, nodes }: Plan, node: NodeSpec, segment: string) {
  const iface = segments.findIndex(({ name }) => name === segment);
  const host = FIRST_HOST + nodes.filter((other) => other.segments.includes(segment)).indexOf(node);
  return { segment, ipv4: throwaway.ipv4(iface, host), ipv6: throwaway.ipv6(iface, host) };
}

/** Routers and home agents start before the nodes that use them; nodes that make offers start last. */
function dependenciesOf({ nodes }: Plan, node: NodeSpec): readonly string[] {
  const ranks = nodes.map((other) => ({ name: other.name, rank: startRank(other) }));
  return ranks.filter(({ rank }) => rank < startRank(node)).map(({ name }) => name);
}

function startRank({ setup }: NodeSpec): number {
  if (setup.autostart !== undefined) return 2;
  return setup.role.type === "router" || setup.role.type === "home-agent" ? 0 : 1;
}

function programService(program: ProgramSpec): readonly string[] {
  const { name, inside, source, command, environment, capabilities = [] } = program;
  return [
    `${name}.program:`,
    imageLine(source),
    `  network_mode: service:${inside}`,
    "  cap_drop: [ALL]",
    ...(capabilities.length === 0 ? [] : [`  cap_add: [${capabilities.join(", ")}]`]),
    "  security_opt: [no-new-privileges]",
    ...(command === undefined ? [] : [`  command: ${escapeDollars(JSON.stringify(command))}`]),
    "  environment:",
    ...Object.entries(environment).map(([key, value]) => `    ${key}: ${escapeDollars(JSON.stringify(value))}`),
  ];
}

function imageLine(source: ProgramSpec["source"]): string {
  switch (source.type) {
    case "image":
      return `  image: ${JSON.stringify(escapeDollars(source.image))}`;
    case "build":
      return `  build: ${JSON.stringify(escapeDollars(source.folder))}`;
    case "machine":
      throw new RangeError("expected a host with an image: Compose starts nothing else");
  }
}

function network(name: string, i: number): readonly string[] {
  return [
    `${name}:`,
    "  driver: bridge",
    "  enable_ipv6: true",
    "  driver_opts:",
    ...Object.entries(SEGMENT_BRIDGE_OPTIONS).map(([key, value]) => `    ${key}: "${value}"`),
    `  ipam: { config: [{ subnet: ${throwaway.ipv4Subnet(i)} }, { subnet: "${throwaway.ipv6Subnet(i)}" }] }`,
  ];
}

/** Compose replaces `$NAME`; two dollar signs stand for one. */
function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** The Compose file that this repository keeps, for `docker compose up`. */
export function composeFile(plan: Plan): string {
  return renderCompose(plan, {
    image: "${MICE_NODE_IMAGE:-mice-testbed/node:latest}",
    header: [
      `The topology ${plan.topology} by hand: docker-compose up -d, then docker-compose logs -f mn, then docker-compose down -t 0.`,
      "Rendered from the plan that `testbed run` executes (npm run schema writes it, a test holds it equal). Build the image",
      "with `npm run setup` first.",
    ],
  });
}
