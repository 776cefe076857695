/** Collects what `isolation-plan.ts` checks, and stops a node that can reach anything outside the lab. */

import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { NodeSetup } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import {
  ENGINE_NAME_SERVER,
  findLeaks,
  NAME_SERVER_GUARD,
  type NodeView,
  parseIpv4Routes,
  parseIpv6Routes,
} from "./isolation-plan.ts";

const DNS_PORT = 53;

/**
 * How long to wait for a refusal or an answer: the kernel refuses at once, unless the query went through. On a loaded
 * machine the process may see a refusal only after 100 ms (3 nodes in 60).
 */
const NAME_SERVER_WAIT_MS = 2000;

/** A query for `example.com`: header with one question, recursion desired; the name; type A, class IN. */
const QUERY = Buffer.from("4d4901000001000000000000076578616d706c6503636f6d0000010001", "hex");

/** Blocks the engine's name server, if this node has one. */
export async function guardNameServer(resolverFile: string): Promise<void> {
  if (!resolverFile.includes(ENGINE_NAME_SERVER)) return;
  const { code, stderr } = await run("nft", ["-f", "-"], NAME_SERVER_GUARD);
  if (code !== 0) throw new NodeFailure("bad-rules", describeRefusal("nft -f -", NAME_SERVER_GUARD, stderr));
}

/** Verifies that the node reaches nothing outside the lab. About a millisecond. Throws `leak` with every way out. */
export async function verifyIsolation(setup: NodeSetup): Promise<void> {
  const leaks = findLeaks(setup, {
    addresses: presentAddresses(),
    routes: [...parseIpv4Routes(read("/proc/net/route")), ...parseIpv6Routes(read("/proc/net/ipv6_route"))],
    nameServer: await askNameServer(),
  });
  if (leaks.length > 0) throw new NodeFailure("leak", ["the node can reach outside the lab:", ...leaks].join("\n"));
}

function presentAddresses(): NodeView["addresses"] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, entries = []]) =>
    entries.filter(({ internal }) => !internal).map(({ address }) => ({ interfaceName, address })),
  );
}

/** Reads a file of /proc/net, which is absent where the kernel has no IPv6. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The refusal is returned by the call itself, or arrives as an ICMP error on the connected socket. */
function askNameServer(): Promise<NodeView["nameServer"]> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const timer = setTimeout(() => finish("silent"), NAME_SERVER_WAIT_MS);
    const finish = (outcome: NodeView["nameServer"]): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    socket.once("error", () => finish("refused"));
    socket.once("message", () => finish("answered"));
    socket.connect(DNS_PORT, ENGINE_NAME_SERVER, () => {
      socket.send(QUERY, (error) => {
        if (error !== null) finish("refused");
      });
    });
  });
}
