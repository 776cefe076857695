import { expect, test } from "vitest";
import type { NodeSetup } from "../../../../agent/src/control/messages.ts";
import type { ProtocolNode } from "../../../../agent/src/io/node/protocol-node.ts";
import { openRestartable } from "../../../../agent/src/io/node/restartable-node.ts";
import { MOBILE_ROLE } from "../../../support/mobile-role.ts";

const SETUP: NodeSetup = {
  ...{ version: 1, node: "mn", interfaces: [], routes: [], rules: [], hosts: [], capture: false },
  role: MOBILE_ROLE,
};

/** A node that counts one packet in each of its lives, and says what becomes of it. */
function play() {
  const told: string[] = [];
  const open = ({ role }: NodeSetup, run: number): ProtocolNode => {
    told.push(`opened ${run} at ${"localAddresses" in role ? role.localAddresses.join() : ""}`);
    return {
      start: () => void told.push("started"),
      connect: () => true,
      moveTo: () => true,
      deregister: () => true,
      counters: () => ({ sent: 1 }),
      close: () => void told.push("closed"),
    };
  };
  const node = openRestartable(SETUP, open, () => told.push("ended"));
  if (node === undefined) throw new Error("expected a node");
  return { node, told };
}

test("a killed node does nothing until it is started again, where it has moved to", () => {
  const { node, told } = play();
  node.moveTo(SETUP, ["10.0.0.7"]);
  node.kill();
  expect([node.connect("2001:db8:b::2"), node.deregister(), node.moveTo(SETUP, ["10.0.0.8"])]).toEqual([
    false,
    false,
    false,
  ]);
  node.kill();
  node.restart();
  expect(node.connect("2001:db8:b::2")).toBe(true);
  expect(told).toEqual(["opened 0 at 192.168.1.2", "closed", "ended", "opened 1 at 10.0.0.8", "started"]);
});

test("what was counted in all lives of a node is counted together", () => {
  const { node } = play();
  node.restart();
  expect(node.counters()).toEqual({ sent: 2 });
  node.kill();
  expect(node.counters()).toEqual({ sent: 2 });
});
