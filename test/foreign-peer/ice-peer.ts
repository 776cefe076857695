/**
 * This package's ICE agent as a program: candidates and credentials by the rendezvous, one datagram each way, then the
 * result as one line of JSON. The protocol is `agent/src/core/ice`; here are only its socket, its timer and the words.
 */

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { SocketAddress } from "../../agent/src/core/address.ts";
import type { RemoteCandidate } from "../../agent/src/core/ice/candidate.ts";
import { createGathering, type Gathering } from "../../agent/src/core/ice/gathering.ts";
import { createIceAgent } from "../../agent/src/core/ice/ice-agent.ts";
import type { IceCredentials, IceMachine } from "../../agent/src/core/ice/ice-machine.ts";
import type { Rng } from "../../agent/src/core/machine.ts";
import { demultiplex } from "../../agent/src/core/node/demultiplex.ts";

/** What both ends tell each other through the rendezvous. */
interface Description extends IceCredentials {
  readonly candidates: readonly {
    readonly type: RemoteCandidate["type"];
    readonly ip: string;
    readonly port: number;
    readonly priority: number;
  }[];
}

const DATA = Buffer.from("data from the testbed");
const rng: Rng = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const now = (): number => performance.now();

const role = setting("PEER_ROLE") === "controlling" ? "controlling" : "controlled";
const local = { ip: setting("MICE_SELF_IPV4"), port: 40_000 };
const socket = createSocket("udp4").bind(local.port, local.ip);
await once(socket, "listening");

const gathering = createGathering({ profile: "ice16", bases: [local], servers: [address("STUN_SERVER")], rng });
gathering.start(now());
await drive(gathering, () => gathering.isDone);
gathering.stop();

const credentials = { ufrag: randomText(3), pwd: randomText(16) };
const agent = createIceAgent({
  profile: "ice16",
  role,
  credentials,
  candidates: gathering.candidates(),
  startedAt: now(),
  rng,
});
const remote = await exchange({
  ...credentials,
  candidates: gathering.candidates().map(({ type, address: { ip, port }, priority }) => ({ type, ip, port, priority })),
});
agent.setRemote(now(), {
  credentials: remote,
  candidates: remote.candidates.map(({ type, ip, port, priority }) => ({ type, address: { ip, port }, priority })),
  isLite: false,
  options: [],
});
let received = "";
await drive(agent, () => agent.selectedPair() !== undefined && received !== "");
const selected = agent.selectedPair();
console.log(
  JSON.stringify({
    remote: selected && [selected.remote.address.ip, selected.remote.address.port],
    received,
    controlling: agent.role === "controlling",
  }),
);
// The peer may still wait for this end's answers.
await Promise.race([sleep(1000), drive(agent, () => false)]);
process.exit(0);

/** Runs a machine until `isDone`: datagrams in, transmits out, one timer; data goes out once a pair is selected. */
async function drive(machine: Gathering | IceMachine, isDone: () => boolean): Promise<void> {
  let wake = (): void => undefined;
  const onMessage = (octets: Buffer, { address: ip, port }: { address: string; port: number }): void => {
    const payload = new Uint8Array(octets);
    const content = demultiplex(payload);
    if (content.kind === "stun") machine.handleStun(now(), { ...content, local, remote: { ip, port } });
    else received = octets.toString();
    wake();
  };
  socket.on("message", onMessage);
  let hasSentData = false;
  while (!isDone()) {
    machine.handleTimeout(now());
    for (let out = machine.pollTransmit(); out !== undefined; out = machine.pollTransmit())
      socket.send(out.payload, out.remote.port, out.remote.ip);
    while (machine.pollEvent() !== undefined);
    const pair = "selectedPair" in machine ? machine.selectedPair() : undefined;
    if (pair !== undefined && !hasSentData) {
      hasSentData = true;
      socket.send(DATA, pair.remote.address.port, pair.remote.address.ip);
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, Math.max(0, (machine.pollTimeout() ?? now() + 100) - now()));
    });
  }
  socket.off("message", onMessage);
}

/** Meets the peer, which may not be there yet. */
async function exchange(own: Description): Promise<Description> {
  const meeting = await connected(address("RENDEZVOUS"));
  meeting.write(`${JSON.stringify(own)}\n`);
  for await (const line of createInterface(meeting)) return JSON.parse(line) as Description;
  throw new Error("the rendezvous closed before the peer came");
}

async function connected({ ip, port }: SocketAddress): Promise<Socket> {
  for (;;) {
    const attempt = createConnection(port, ip);
    const isConnected = await once(attempt, "connect").then(
      () => true,
      () => false,
    );
    if (isConnected) return attempt;
    await sleep(50);
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function address(name: string): SocketAddress {
  const [ip = "", port = ""] = setting(name).split(":");
  return { ip, port: Number(port) };
}

/** `octets` random octets as ice-char text. */
function randomText(octets: number): string {
  return randomBytes(octets).toString("base64").replaceAll("=", "");
}
