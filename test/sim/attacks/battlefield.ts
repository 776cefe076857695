/** The network of the attack tests, and queries of its nodes. */

import type { NodeEvent } from "../../../agent/src/core/events.ts";
import { createMiceNet, type MiceNet, type MiceNetSetup, type Side } from "../../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, offer } from "../scenario.ts";
import { type Attacker, type Bystander, createAttacker, createVictim } from "./attacker.ts";

export interface Battlefield extends MiceNet {
  readonly attacker: Attacker;
  readonly victim: Bystander;
  /** The mobile node offers at `CONNECT_AT`; runs until then. */
  connect(): void;
  /** Continues for this long. */
  runFor(durationMs: number): void;
}

/** Both nodes directly on the internet, where every host can reach them. */
export const OPEN: MiceNetSetup = { a: { access: ACCESS }, b: { access: ACCESS } };

/** Both nodes behind home routers. */
export const NAT_NAT: MiceNetSetup = { a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } };

/** The network with an attacker and a victim on the internet, both nodes registered. */
export function createBattlefield(setup: MiceNetSetup): Battlefield {
  const mice = createMiceNet(setup);
  const { time } = mice.net;
  return {
    ...mice,
    attacker: createAttacker(mice.net),
    victim: createVictim(mice.net),
    connect() {
      time.runUntil(CONNECT_AT);
      offer(mice.mn, mice.cn);
    },
    runFor: (durationMs) => time.runUntil(time.now + durationMs),
  };
}

/** Everything both nodes report in a session without an attack, until `untilMs`. */
export function undisturbed(setup: MiceNetSetup, untilMs: number): ReturnType<typeof reports> {
  const field = createBattlefield(setup);
  field.connect();
  field.net.time.runUntil(untilMs);
  return reports(field);
}

/** Every event of both nodes with its time. */
export function reports({ mn, cn }: MiceNet): { readonly mn: readonly string[]; readonly cn: readonly string[] } {
  const lines = ({ node }: Side): readonly string[] => node.events.map((timed) => JSON.stringify(timed));
  return { mn: lines(mn), cn: lines(cn) };
}

/** A counter of a node, 0 if it was never raised. */
export function counter({ node }: Side, name: string): number {
  return node.machine.counters()[name] ?? 0;
}

/** Whether any event of these types contains the address. */
export function mentions({ node }: Side, ip: string, ...types: readonly NodeEvent["type"][]): boolean {
  return node.events.some(({ event }) => types.includes(event.type) && JSON.stringify(event).includes(`"${ip}"`));
}
