/** Texts of topologies as large as they may be, and larger. */

/** Segments in a row, each behind a router on the one before. */
export function rowOfRouters(segments: number): string {
  const numbers = Array.from({ length: segments }, (_, i) => i);
  return [
    "name: row\nsummary: Segments in a row\nsegments:",
    ...numbers.map((i) => `  s${i}: { ipv4: 10.${i >> 8}.${i & 0xff}.0/24, ipv6: "2001:db8:${i.toString(16)}::/64" }`),
    "nodes:",
    ...numbers.slice(1).map((i) => `  r${i}: { role: router, wan: s${i - 1}, lan: s${i} }`),
    "",
  ].join("\n");
}

/** Homes behind NATs on one segment each, all nodes of one home agent. A segment has room for a few, so there is a tree. */
export function manyHomes(homes: number): string {
  const numbers = Array.from({ length: homes }, (_, i) => i);
  const streets = Array.from({ length: Math.ceil(homes / 50) }, (_, i) => i);
  return [
    "name: homes\nsummary: Many homes\nsegments:",
    '  internet: { ipv4: 198.18.0.0/16, ipv6: "2001:db8:0:1::/64" }',
    ...streets.map((i) => `  street${i}: { ipv4: 100.64.${i}.0/24 }`),
    ...numbers.map((i) => `  home${i}: { ipv4: 192.168.1.0/24 }`),
    "nodes:",
    '  ha: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" }',
    ...streets.map((i) => `  isp${i}: { role: router, wan: internet, lan: street${i}, nat: carrier-grade }`),
    ...numbers.map(
      (i) => `  nat${i}: { role: router, wan: street${Math.floor(i / 50)}, lan: home${i}, nat: port-restricted-cone }`,
    ),
    ...numbers.map((i) => `  mn${i}: { role: mobile-node, on: home${i}, homeAgent: ha }`),
    "",
  ].join("\n");
}

/** A NAT with port forwards, each to the same host. */
export function manyForwards(forwards: number): string {
  const list = Array.from({ length: forwards }, (_, i) => `{ protocol: tcp, port: ${i + 1}, to: h }`).join(", ");
  return `name: forwards
summary: Many forwards
segments: { internet: { ipv4: 198.18.0.0/24 }, lan: { ipv4: 192.168.1.0/24 } }
nodes:
  nat: { role: router, wan: internet, lan: lan, nat: port-restricted-cone, forwards: [${list}] }
  h: { role: host, on: lan, image: x, command: "true" }
`;
}

/** A file with keys that nothing knows. */
export function unknownKeys(count: number): string {
  const keys = Array.from({ length: count }, (_, i) => `key${i}: 1\n`).join("");
  return `name: t\nsummary: s\nsegments: {}\nnodes: {}\n${keys}`;
}
