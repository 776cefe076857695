/**
 * How many mappings an inside host may have, and make in a second. A host's mappings are the elements of a set that has
 * room for no more: where one cannot be added, the packet that would have made it is dropped. They stay in it as long as
 * they live. What is dropped is counted by the name of the key that says so.
 */

import { forwardedPorts, type Middlebox } from "./nat-middlebox.ts";

/** How long a host that makes no mappings is remembered; longer than its allowance takes to become full. */
const PACE_SEC = 60;

/** Names of the counters of dropped packets. */
type Counter = "mappingsPerHost" | "mappingsPerSecond" | "blockSize";

function countersOf(middlebox: Middlebox): readonly Counter[] {
  return (["mappingsPerHost", "mappingsPerSecond", "blockSize"] as const).filter((key) => middlebox[key] !== undefined);
}

/** Counters and sets; none where nothing is limited. */
export function limitMemory(middlebox: Middlebox, keyType: string): string[] {
  const { mappingsPerHost, mappingsPerSecond, insideHosts, lifetimeSec } = middlebox;
  return [
    ...countersOf(middlebox).flatMap((name) => [`counter ${name} {`, "}"]),
    ...(mappingsPerSecond === undefined
      ? []
      : [
          "# How fast hosts make mappings.",
          "set pace {",
          "  type ipv4_addr",
          "  flags dynamic, timeout",
          `  timeout ${PACE_SEC}s`,
          "}",
        ]),
    ...(mappingsPerHost === undefined
      ? []
      : insideHosts.flatMap((host, i) => [
          `# Mappings of ${host}.`,
          `set held_${i + 1} {`,
          `  type ${keyType}`,
          "  flags dynamic, timeout",
          `  size ${mappingsPerHost}`,
          `  timeout ${lifetimeSec}s`,
          "  gc-interval 1s",
          "}",
        ])),
  ];
}

/** Rules that a packet passes before it makes a mapping with this key. */
export function admit(middlebox: Middlebox, key: string): string[] {
  const { protocol, mappingsPerHost, mappingsPerSecond: perSecond, insideHosts } = middlebox;
  const isOwn = `meta l4proto ${protocol}`;
  const rate = `limit rate over ${perSecond}/second burst ${perSecond} packets`;
  return [
    ...(perSecond === undefined
      ? []
      : [`${isOwn} add @pace { ip saddr ${rate} } counter name mappingsPerSecond drop;`]),
    ...(mappingsPerHost === undefined
      ? []
      : insideHosts.flatMap((host, i) => [`${isOwn} ip saddr ${host} ${key} != @held_${i + 1} jump admit_${i + 1};`])),
  ];
}

/** The chains that these rules jump to. */
export function admission({ protocol, mappingsPerHost, insideHosts }: Middlebox, key: string): string[] {
  if (mappingsPerHost === undefined) return [];
  return insideHosts.flatMap((_, i) => [
    ...(i === 0 ? [] : [""]),
    `chain admit_${i + 1} {`,
    `  meta l4proto ${protocol} add @held_${i + 1} { ${key} } return;`,
    "  counter name mappingsPerHost drop;",
    "}",
  ]);
}

/** Rules that keep a mapping, of a host whose address is `host`; those of forwards are not counted. */
export function hold(
  middlebox: Middlebox,
  { key, host, port, timeout }: Readonly<Record<"key" | "host" | "port" | "timeout", string>>,
): string[] {
  const { protocol, mappingsPerHost, insideHosts, forwards } = middlebox;
  if (mappingsPerHost === undefined) return [];
  const forwarded = forwardedPorts(forwards, protocol);
  const isCounted = forwarded.length === 0 ? "" : ` ${port} != { ${forwarded.join(", ")} }`;
  return insideHosts.map(
    (address, i) =>
      `meta l4proto ${protocol} ${host} ${address}${isCounted} update @held_${i + 1} { ${key}${timeout} };`,
  );
}
