/** A host behind a chain of routers, and a STUN server in front of them. */

import { type ProbePlan, planProbes } from "../../../orchestrator/plan/probe-plan.ts";
import { resolved } from "../topology/sample.ts";

/** Keys of each router in a topology file after its segments, such as `nat: symmetric`; innermost first. */
export function planBehind(middleboxes: readonly string[], changes: { readonly ipv6?: boolean } = {}): ProbePlan {
  const ipv6 = (i: number): string => (changes.ipv6 === true ? `, ipv6: "2001:db8:0:${i + 1}::/64"` : "");
  const segments = middleboxes.map((_, i) => `  lan${i}: { ipv4: 10.${i}.0.0/24${ipv6(i + 1)} }`);
  const routers = middleboxes.map((middlebox, i) => {
    const wan = i === middleboxes.length - 1 ? "internet" : `lan${i + 1}`;
    return `  middlebox${i}: { role: router, wan: ${wan}, lan: lan${i}, ${middlebox} }`;
  });
  return planProbes(
    resolved(`
name: t
summary: For a test
segments:
  internet: { ipv4: 198.18.0.0/24${ipv6(0)} }
${segments.join("\n")}
nodes:
  stun: { role: stun-server, on: internet }
${routers.join("\n")}
  inside: { role: host, on: lan0, image: x }
`),
  );
}
