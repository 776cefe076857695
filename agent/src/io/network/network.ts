/** Configures the node's network as planned: interfaces, addresses, routes, names and rules. */

import { readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import type { NodeSetup } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import type { FoundInterface } from "../link/found-interface.ts";
import { applyImpairments, type ImpairedInterfaces } from "../link/impairments.ts";
import { run } from "../process/command.ts";
import { describeRefusal } from "../process/rule-errors.ts";
import { guardNameServer } from "./isolation.ts";
import { awaitLocalAddresses } from "./local-addresses.ts";
import {
  findInterfaces,
  hostsFile,
  interfacesOfListing,
  localIpv6Addresses,
  type MoveTexts,
  moveTexts,
  networkBatch,
  type PresentInterface,
  readdressTexts,
  resolverFileOf,
  ruleBatch,
} from "./network-plan.ts";
import { disableTransmitChecksumOffload } from "./offload.ts";
import { loadRules } from "./rules.ts";
import { segmentGuard } from "./segment-guard.ts";

/** Files that the set-up replaces. */
const OWN_FILES = ["/etc/hosts", "/etc/resolv.conf"] as const;

/**
 * Throws `not-isolated` unless the process is the first of a container, or shares neither network nor mounts nor the
 * files that the set-up replaces: it removes addresses and overwrites /etc/hosts.
 */
export function requireOwnNamespaces(): void {
  if (process.pid === 1) return;
  const shared = ["net", "mnt"].filter((kind) => namespaceOf("self", kind) === namespaceOf("1", kind));
  if (shared.length > 0)
    throw new NodeFailure(
      "not-isolated",
      `expected network and mount namespaces of the node's own, found those of the machine (${shared.join(", ")}): ` +
        "run the agent as the first process of a container, or as the netns runtime does",
    );
  // A private mount namespace still shows the machine's files, and writes go to them.
  const mounts = mountPoints(readFileSync("/proc/self/mountinfo", "utf8"));
  const foreign = OWN_FILES.filter((file) => !mounts.has(targetOf(file)));
  if (foreign.length > 0)
    throw new NodeFailure(
      "not-isolated",
      `expected files of the node's own at ${foreign.join(" and ")}, found the machine's: bind-mount others over them`,
    );
}

/** Where a file is mounted over: on many machines /etc/resolv.conf is a link. */
function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** Mount points, the fifth field of each line of mountinfo (proc(5)). */
function mountPoints(mountinfo: string): ReadonlySet<string> {
  return new Set(mountinfo.split("\n").flatMap((line) => line.split(" ").slice(4, 5)));
}

/**
 * Sets up the network. Rules are in force before the first link goes up: a flow that passed a NAT without them would
 * keep its untranslated conntrack entry. Returns the interfaces, with their impairments in force. Throws `setup-failed`
 * or `bad-rules`.
 */
export async function setUpNetwork(setup: NodeSetup): Promise<ImpairedInterfaces> {
  const resolverFile = readFileSync("/etc/resolv.conf", "utf8");
  const found = await locateInterfaces(setup);
  writeFileSync("/etc/hosts", hostsFile(setup.hosts));
  writeFileSync("/etc/resolv.conf", resolverFileOf(setup));
  const [interfaces] = await Promise.all([
    applyImpairments(found),
    guardNameServer(resolverFile),
    loadRules(setup.rules),
  ]);
  await runBatch(["-batch", "-"], networkBatch(setup, interfaces.found));
  await guardSegments(setup, interfaces);
  const rules = ruleBatch(setup);
  if (rules !== "") await runBatch(["-6", "-batch", "-"], rules);
  await awaitLocalAddresses(localIpv6Addresses(setup));
  disableTransmitChecksumOffload(setup.interfaces.map(({ interfaceName }) => interfaceName));
  interfaces.start();
  return interfaces;
}

/** The kernel knows a guard's interfaces by their final names. Throws `bad-rules`. */
async function guardSegments(setup: NodeSetup, interfaces: ImpairedInterfaces): Promise<void> {
  const guarded = setup.interfaces.map((iface) => ({ iface, underlyingName: interfaces.underlyingNameOf(iface) }));
  const guard = segmentGuard(guarded);
  if (guard.frames === "" || (await run("nft", ["-f", "-"], guard.frames)).code === 0) return;
  await loadRules([{ tool: "nft", text: guard.packets }]);
}

/** Moves a node from one place to another. Throws `setup-failed`. */
export async function moveNetwork(before: NodeSetup, after: NodeSetup): Promise<void> {
  await changePlace(moveTexts(before, after), after);
}

/** Gives a node other addresses on the segments that it is on. Throws `setup-failed`. */
export async function readdressNetwork(before: NodeSetup, after: NodeSetup): Promise<void> {
  await changePlace(readdressTexts(before, after), after);
}

async function changePlace({ ipv6Before, both, ipv6After }: MoveTexts, after: NodeSetup): Promise<void> {
  if (ipv6Before !== "") await runBatch(["-6", "-batch", "-"], ipv6Before);
  await runBatch(["-batch", "-"], both);
  if (ipv6After !== "") await runBatch(["-6", "-batch", "-"], ipv6After);
  await awaitLocalAddresses(localIpv6Addresses(after));
}

async function locateInterfaces(setup: NodeSetup): Promise<readonly FoundInterface[]> {
  const present = setup.interfaces.some(({ find }) => find.by === "address") ? await presentInterfaces() : [];
  const result = findInterfaces(setup.interfaces, present);
  if (result.ok) return result.found;
  const missing = result.missing.map(({ segment, find }) =>
    find.by === "address" ? `${segment} (${find.address})` : `${segment} (${find.name})`,
  );
  const found = present.map(({ name, addresses }) => `${name} ${addresses.join(" ")}`).join("; ");
  throw new NodeFailure("setup-failed", `expected an interface for ${missing.join(", ")}, found ${found || "none"}`);
}

/**
 * Uses `ip`, because Node's own list leaves out interfaces that are not running, which on a busy machine one may be for
 * up to a second after its peer came up.
 */
async function presentInterfaces(): Promise<readonly PresentInterface[]> {
  const { code, stdout, stderr } = await run("ip", ["-json", "address"]);
  if (code !== 0) throw new NodeFailure("setup-failed", `ip cannot list the interfaces: ${stderr}`);
  return interfacesOfListing(stdout);
}

async function runBatch(args: readonly string[], batch: string): Promise<void> {
  const { code, stderr } = await run("ip", args, batch);
  if (code !== 0) throw new NodeFailure("setup-failed", describeRefusal(["ip", ...args].join(" "), batch, stderr));
}

/** Identity of a process's namespace; undefined if it may not be read. */
function namespaceOf(process: string, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/${kind}`);
  } catch {
    return undefined;
  }
}
