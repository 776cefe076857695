import { expect, test } from "vitest";
import {
  createNumberedFlow,
  createSimNat,
  eventsOf,
  HOME_ROUTER,
  type MiceNet,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";
const CHANGE_AT = CONNECT_AT + 5000;
const OVERLAP_MS = 2000;

/** 50 packets a second. */
const PACE_MS = 20;

interface Change {
  readonly name: string;
  /** Adds the new address, and returns its IP address. */
  readonly enter: (mice: MiceNet) => string;
  readonly publicIp: string;
}

const CHANGES: readonly Change[] = [
  {
    name: "another address of the same segment",
    enter({ mn }) {
      mn.node.host.attach("home", ["192.168.1.9/24"]);
      return "192.168.1.9";
    },
    publicIp: "198.18.0.10",
  },
  {
    name: "an address of another segment",
    enter({ net, mn }) {
      createSimNat(net, {
        name: "nat-c",
        profile: { ...HOME_ROUTER, seed: 3 },
        wan: { segment: "internet", address: "198.18.0.30/24", impairment: ACCESS },
        lan: { segment: "office", address: "172.16.9.1/24" },
      });
      mn.node.host.attach("office", ["172.16.9.3/24"]);
      mn.node.host.route("0.0.0.0/0", "172.16.9.1");
      return "172.16.9.3";
    },
    publicIp: "198.18.0.30",
  },
];

/** The node has the new address beside the old one for a while; the new one is better. */
function changeWithOverlap(mice: MiceNet, { enter }: Change): void {
  const { net, mn } = mice;
  const { host } = mn.node;
  const [old] = host.ports;
  const socket = { ip: enter(mice), port: 40_001 };
  mn.node.open(socket);
  mn.node.tell((machine, now) => machine.retarget(now, [socket, mn.socket]));
  net.time.runUntil(CHANGE_AT + OVERLAP_MS);
  if (old !== undefined) host.detach(old);
  if (socket.ip.startsWith("192.168.1.")) host.route("0.0.0.0/0", "192.168.1.1");
  mn.node.close(mn.socket);
  mn.node.tell((machine, now) => machine.retarget(now, [socket]));
}

test.each(
  CHANGES.flatMap((change) => [
    { ...change, offerer: "mn" as const },
    { ...change, offerer: "cn" as const },
  ]),
)("$name with overlap: nothing is lost, and data never leaves the direct path; $offerer offered", (change) => {
  const mice = connectNatNat();
  if (change.offerer === "cn") {
    mice.net.time.runUntil(CONNECT_AT + 2000);
    offer(mice.cn, mice.mn);
  }
  mice.net.time.runUntil(CHANGE_AT);
  expect(pathOf(mice.mn)).toBe(DIRECT);
  const flows = [createNumberedFlow(mice.mn, mice.cn), createNumberedFlow(mice.cn, mice.mn)];
  for (const flow of flows) flow.sendEvery(PACE_MS, 6000);
  changeWithOverlap(mice, change);
  mice.net.time.runUntil(CHANGE_AT + 10_000);

  const since = [mice.mn, mice.cn].map((side) => eventsOf(side, "path").filter(({ atMs }) => atMs >= CHANGE_AT));
  expect(since.map((events) => events.map(({ event }) => event.path))).toEqual([["direct"], ["direct"]]);
  expect(since[1]?.[0]?.event.pair?.remote.address.ip).toBe(change.publicIp);
  expect(flows.map((flow) => flow.sent - flow.arrivals().length)).toEqual([0, 0]);
});

test("an address that goes and carries nothing leaves the pair as it is, and costs no offer", () => {
  const mice = connectNatNat();
  const { mn, net } = mice;
  const other = { ip: "192.168.1.9", port: 40_001 };
  const port = mn.node.host.attach("home", ["192.168.1.9/24"]);
  mn.node.open(other);
  mn.node.tell((machine, now) => machine.retarget(now, [mn.socket, other]));
  net.time.runUntil(CHANGE_AT);
  const offers = eventsOf(mn, "offer-sent").length;
  mn.node.host.detach(port);
  mn.node.close(other);
  mn.node.tell((machine, now) => machine.retarget(now, [mn.socket]));
  net.time.runUntil(CHANGE_AT + 30_000);
  expect(eventsOf(mn, "offer-sent")).toHaveLength(offers);
  expect(pathOf(mn)).toBe(DIRECT);
});

test("the same address on another interface is another place: the pair is left at once", () => {
  const { mn, net } = connectNatNat();
  net.time.runUntil(CHANGE_AT);
  mn.node.tell((machine, now) => machine.retarget(now, [{ ...mn.socket, interfaceName: "lte" }]));
  expect(pathOf(mn)).toBe("home-agents");
});
