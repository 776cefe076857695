/** The manual equivalent of a lab: the same containers on the same networks with Docker Compose, idle. */

import { stringify } from "yaml";
import type { Plan } from "../../orchestrator/plan/plan.ts";

/** A Compose file with the plan's nodes and segments; every container only sleeps. */
export function idleCompose(plan: Plan, image: string): string {
  const networks = plan.segments.map(({ name }) => [name, {}] as const);
  const services = plan.nodes.map(
    ({ name, segments }) =>
      [name, { image, entrypoint: ["sleep", "infinity"], networks: [...segments], cap_add: ["NET_ADMIN"] }] as const,
  );
  return stringify({ version: "2.4", services: Object.fromEntries(services), networks: Object.fromEntries(networks) });
}
