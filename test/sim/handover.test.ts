import { expect, test } from "vitest";
import {
  createNumberedFlow,
  createSimNat,
  eventsOf,
  HOME_ROUTER,
  type MiceNet,
  type Side,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";
const MOVE_AT = CONNECT_AT + 5000;

/** Moves the mobile node into an office 172.16.9.0/24 behind another NAT; the old segment is left at once. */
function moveToOffice({ net, mn }: MiceNet): void {
  createSimNat(net, {
    name: "nat-c",
    profile: { ...HOME_ROUTER, seed: 3 },
    wan: { segment: "internet", address: "198.18.0.30/24", impairment: ACCESS },
    lan: { segment: "office", address: "172.16.9.1/24" },
  });
  const { host } = mn.node;
  for (const port of [...host.ports]) host.detach(port);
  mn.node.close(mn.socket);
  host.attach("office", ["172.16.9.3/24"]);
  host.route("0.0.0.0/0", "172.16.9.1");
  const socket = { ip: "172.16.9.3", port: 40_003 };
  mn.node.open(socket);
  mn.node.tell((machine, now) => machine.retarget(now, [socket]));
}

/** Milliseconds from the move to the last path event of a side. */
function directAgainMs(side: Side): number {
  return (eventsOf(side, "path").at(-1)?.atMs ?? Infinity) - MOVE_AT;
}

test.each([
  { name: "the side that offered", offerer: "mn" as const },
  { name: "the side that answered", offerer: "cn" as const },
])("$name moves: data takes the home agents' path, an ICE restart finds the new direct one", ({ offerer }) => {
  const mice = connectNatNat();
  if (offerer === "cn") {
    mice.net.time.runUntil(CONNECT_AT + 2000);
    offer(mice.cn, mice.mn);
  }
  mice.net.time.runUntil(MOVE_AT);
  expect(pathOf(mice.mn)).toBe(DIRECT);
  const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
  for (const flow of flows) flow.sendEvery(5, 3000);
  moveToOffice(mice);
  mice.net.time.runUntil(MOVE_AT + 10_000);

  expect(
    eventsOf(mice.mn, "path")
      .map(({ event }) => event.path)
      .slice(-2),
  ).toEqual(["home-agents", "direct"]);
  expect(
    eventsOf(mice.cn, "path")
      .map(({ event }) => event.path)
      .slice(-2),
  ).toEqual(["home-agents", "direct"]);
  expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  expect(eventsOf(mice.cn, "path").at(-1)?.event.pair?.remote.address.ip).toBe("198.18.0.30");
  // Registration 20, gathering 20, offer 20, answer 40, checks and nomination 200, update 40.
  expect({ mn: directAgainMs(mice.mn), cn: directAgainMs(mice.cn) }).toEqual({ mn: 340, cn: 320 });
  // Sending: no loss, as the registration is ahead of the data. Receiving: until the restart reaches the correspondent.
  const lostMs = flows.map((flow) => (flow.sent - flow.arrivals().length) * 5);
  expect({ lostMs }).toEqual({ lostMs: [0, 65] });
});
