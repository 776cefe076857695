/** A host behind a chain of boxes, and a STUN server in front of them. */

import { type ProbePlan, planProbes } from "../../../orchestrator/plan/probe-plan.ts";
import { resolved } from "../topology/sample.ts";

/** What a box in a topology file says after its wires, such as `nat: symmetric`; inmost first. */
export function planBehind(boxes: readonly string[], changes: { readonly ipv6?: boolean } = {}): ProbePlan {
  const ipv6 = (i: number): string => (changes.ipv6 === true ? `, ipv6: "2001:db8:0:${i + 1}::/64"` : "");
  const segments = boxes.map((_, i) => `  lan${i}: { ipv4: 10.${i}.0.0/24${ipv6(i + 1)} }`);
  const routers = boxes.map((box, i) => {
    const wan = i === boxes.length - 1 ? "internet" : `lan${i + 1}`;
    return `  box${i}: { role: router, wan: ${wan}, lan: lan${i}, ${box} }`;
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
  inside: { role: host, on: lan0, image: none }
`),
  );
}
