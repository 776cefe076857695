/** Commands that change a node: its place, its addresses, its rules, its links, or its protocol's state. */

import { setTimeout as sleep } from "node:timers/promises";
import type { AgentCommand, NodeSetup } from "../../control/messages.ts";
import { assertNever } from "../../core/machine.ts";
import { NodeFailure } from "../failure.ts";
import type { ImpairedInterfaces } from "../link/impairments.ts";
import { forgetFlows } from "../network/conntrack.ts";
import { verifyIsolation } from "../network/isolation.ts";
import { moveNetwork, readdressNetwork } from "../network/network.ts";
import { loadRules, replaceRules } from "../network/rules.ts";
import type { Daemons } from "./daemons.ts";
import { rebootRouter, silently } from "./reboot.ts";
import type { RestartableNode } from "./restartable-node.ts";

const CHANGES = [
  "move",
  "deregister",
  "impair-link",
  "reboot",
  "kill",
  "restart",
  "change-rules",
  "readdress",
] as const;

type Command<Type extends (typeof CHANGES)[number]> = Extract<AgentCommand, { readonly type: Type }>;

export type ChangeCommand = Command<(typeof CHANGES)[number]>;

export function isChangeCommand(command: AgentCommand): command is ChangeCommand {
  return CHANGES.some((type) => type === command.type);
}

/** A node that may be changed. */
export interface ChangedNode {
  readonly setup: NodeSetup;
  readonly interfaces: ImpairedInterfaces;
  readonly protocol: RestartableNode | undefined;
  readonly daemons: Daemons;
}

/** Makes changes one after the other. Each call rejects when the node has to stop. */
export function createChanges({ setup: first, interfaces, protocol, daemons }: ChangedNode) {
  let setup = first;
  const { type: role } = setup.role;
  return async (command: ChangeCommand): Promise<void> => {
    switch (command.type) {
      case "move":
        setup = await move(setup, command, protocol);
        return;
      case "deregister":
        if (protocol?.deregister() === true) return;
        throw new NodeFailure("bad-command", `a node of role ${role} has no bindings`);
      case "impair-link":
        return interfaces.change(command.segment, command);
      case "reboot":
        return daemons.restartAround(() => rebootRouter(command.rules, command.downMs));
      case "kill":
        if (protocol === undefined)
          throw new NodeFailure("bad-command", `a node of role ${role} has no protocol to end`);
        protocol.kill();
        return;
      case "restart":
        if (protocol === undefined)
          throw new NodeFailure("bad-command", `a node of role ${role} has no protocol to restart`);
        return silently(command.downMs, () => protocol.restart());
      case "change-rules":
        setup = await changeRules(setup, command);
        return;
      case "readdress":
        setup = await readdress(setup, command, protocol);
        return;
      default:
        return assertNever(command);
    }
  };
}

async function move(before: NodeSetup, command: Command<"move">, protocol: ChangedNode["protocol"]) {
  const setup = placedOn(before, command);
  await moveNetwork(before, setup);
  await verifyIsolation(setup);
  if (setup.role.type === "host" || protocol?.moveTo(setup, command.localAddresses) === true) return setup;
  throw new NodeFailure("bad-command", `a node of role ${setup.role.type} cannot move`);
}

/** The texts replace those of the same tools. */
async function changeRules(setup: NodeSetup, { rules }: Command<"change-rules">): Promise<NodeSetup> {
  const isReplaced = ({ tool }: NodeSetup["rules"][number]): boolean => rules.some((rule) => rule.tool === tool);
  await replaceRules(setup.rules.filter(isReplaced), rules);
  return { ...setup, rules: [...setup.rules.filter((rule) => !isReplaced(rule)), ...rules] };
}

async function readdress(
  before: NodeSetup,
  command: Command<"readdress">,
  protocol: ChangedNode["protocol"],
): Promise<NodeSetup> {
  const { segment, addresses, overlapMs, rules } = command;
  let setup = before;
  if (overlapMs > 0) {
    const old = setup.interfaces.find((iface) => iface.segment === segment)?.addresses ?? [];
    const both = [...addresses, ...old.filter((address) => !addresses.includes(address))];
    setup = await readdressTo(setup, command, both, protocol);
    await sleep(overlapMs);
  }
  setup = await readdressTo(setup, command, addresses, protocol);
  if (rules.length === 0) return setup;
  await loadRules(rules);
  forgetFlows();
  return setup;
}

/** The addresses of a segment become others, and the protocol is told. */
async function readdressTo(
  before: NodeSetup,
  { segment, localAddresses }: Command<"readdress">,
  addresses: readonly string[],
  protocol: ChangedNode["protocol"],
): Promise<NodeSetup> {
  const setup = withAddresses(before, segment, addresses);
  await readdressNetwork(before, setup);
  if (localAddresses.length > 0) protocol?.moveTo(setup, presentAmong(setup, localAddresses, before));
  return setup;
}

function withAddresses(setup: NodeSetup, segment: string, addresses: readonly string[]): NodeSetup {
  const interfaces = setup.interfaces.map((iface) => (iface.segment === segment ? { ...iface, addresses } : iface));
  return { ...setup, interfaces };
}

/** Local addresses for the sockets: the wanted ones, then old ones that the node still has. */
function presentAmong(setup: NodeSetup, wanted: readonly string[], before: NodeSetup): readonly string[] {
  const addressesOf = ({ interfaces }: NodeSetup): readonly string[] =>
    interfaces
      .filter(({ isStandby }) => isStandby !== true)
      .flatMap(({ addresses }) => addresses.map((address) => address.replace(/\/.*/, "")));
  const kept = new Set(addressesOf(setup));
  return [...wanted, ...addressesOf(before).filter((address) => kept.has(address) && !wanted.includes(address))];
}

/** The set-up of a node after a move to others of its segments. */
function placedOn(setup: NodeSetup, { to, routes }: Command<"move">): NodeSetup {
  const foreign = to.find((place) => !setup.interfaces.some(({ segment }) => segment === place.segment));
  if (foreign !== undefined)
    throw new NodeFailure("bad-command", `expected a segment of ${setup.node} to move to, found ${foreign.segment}`);
  const interfaces = setup.interfaces.map((iface) => {
    const addresses = to.find(({ segment }) => segment === iface.segment)?.addresses;
    return addresses === undefined ? { ...iface, isStandby: true } : { ...iface, addresses, isStandby: false };
  });
  return { ...setup, interfaces, routes };
}
