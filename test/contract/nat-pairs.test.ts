/** Hole punching through every pair of kernel NATs: a path exists exactly where the model predicts one. */

import type { NatDependence, NatProfile } from "@testbed/agent/control";
import { afterAll, beforeAll, expect } from "vitest";
import type { ResolvedRouter, ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";
import { predictSession } from "../../orchestrator/topology/predict/predict.ts";
import { resolved, twoHomes } from "../orchestrator/topology/sample.ts";
import { needs } from "../support/needs.ts";
import { freshText, mappedAddress } from "./nat-rules/classify.ts";
import { createNatWorld, type NatWorld, type UdpPort } from "./nat-rules/nat-world.ts";

const { test } = await needs("netns");

const TEXT = twoHomes("nat: port-restricted-cone", "nat: port-restricted-cone");
const DEPENDENCE = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const MIDDLEBOXES = DEPENDENCE.flatMap((mapping) => DEPENDENCE.map((filtering) => ({ mapping, filtering })));

let world: NatWorld;
let stun: { readonly a: UdpPort; readonly b: UdpPort };
let port = 20000;

beforeAll(async () => {
  world = await createNatWorld(TEXT);
  const [a, b] = await Promise.all([world.open("ha-a", "198.18.0.2", 3478), world.open("ha-b", "198.18.0.3", 3478)]);
  stun = { a, b };
});
afterAll(() => world.end());

type Point = { readonly mapping: NatDependence; readonly filtering: NatDependence };

/** The NAT with another behaviour, and with ports that no earlier pair used. */
function natOf(name: string, point: Point, portAssignment: NatProfile["portAssignment"]): ResolvedRouter {
  const router = world.router(name);
  if (router.nat === undefined) throw new Error(`${name} does not translate`);
  const first = 30000 + 20 * (port - 20000);
  return { ...router, nat: { ...router.nat, ...point, portAssignment, ports: { first, last: first + 19 } } };
}

/** Both ends send to the address known for the other and answer to the source of what arrives, as checks do. */
async function punch(): Promise<boolean> {
  const [mn, cn] = await Promise.all([world.open("mn", "192.168.1.2", port), world.open("cn", "192.168.1.2", port)]);
  const told = { mn: await mappedAddress(mn, stun.a), cn: await mappedAddress(cn, stun.b) };
  for (let round = 0; round < 4; round += 1) {
    if (await exchange(mn, told.cn, cn)) return true;
    if (await exchange(cn, told.mn, mn)) return true;
  }
  return false;
}

/** Whether a packet arrives and its answer returns from the address it was sent to. */
async function exchange(
  from: UdpPort,
  to: { readonly ip: string; readonly port: number },
  peer: UdpPort,
): Promise<boolean> {
  const [question, answer] = [freshText(), freshText()];
  from.send(to, question);
  if (!(await arrives(peer, question))) return false;
  peer.send(await peer.source(question), answer);
  if (!(await arrives(from, answer))) return false;
  const source = await from.source(answer);
  return source.ip === to.ip && source.port === to.port;
}

/** Packets of this lab take well below a millisecond. */
async function arrives(socket: UdpPort, text: string): Promise<boolean> {
  for (let i = 0; i < 8 && !socket.has(text); i += 1) await new Promise((resolve) => setTimeout(resolve, i));
  return socket.has(text);
}

test.each(MIDDLEBOXES)("mapping $mapping, filtering $filtering, against all nine", async (a) => {
  const outcomes: string[] = [];
  const predictions: string[] = [];
  for (const b of MIDDLEBOXES) {
    port += 1;
    const nats = [natOf("nat-a", a, "random"), natOf("nat-b", b, "random")];
    await Promise.all(nats.map((nat) => world.reload(nat)));
    const name = `${b.mapping}, ${b.filtering}`;
    outcomes.push(`${name}: ${(await punch()) ? "direct" : "home-agents"}`);
    predictions.push(`${name}: ${predict(nats)}`);
  }
  expect(outcomes).toEqual(predictions);
});

function predict(nats: readonly ResolvedRouter[]): string {
  const base = resolved(TEXT);
  const topology: ResolvedTopology = {
    ...base,
    nodes: base.nodes.map((node) => nats.find(({ name }) => name === node.name) ?? node),
  };
  const [session] = topology.sessions;
  if (session === undefined) throw new Error("no session");
  return predictSession(topology, session).path;
}
