/** The contract of the runtime port: the same expectations, run against each driver. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, type describe as vitestDescribe } from "vitest";
import type { Runtime } from "../../../orchestrator/runtime/runtime.ts";
import { askable, bringUp, newIdentity, node, segment } from "./lab.ts";

/** A driver, and what the contract needs from the machine. */
export interface DriverUnderTest {
  /** From `needs.ts`. */
  readonly describe: typeof vitestDescribe.skip;
  readonly name: string;
  readonly open: () => Promise<Runtime>;
  /** Whether it keeps the clients of isolated segments apart; on an engine's networks agents do, which these nodes are not. */
  readonly keepsClientsApart: boolean;
  /** One line for each object of a run that remains on the machine. */
  readonly traces: (runId: string) => Promise<readonly string[]>;
}

const PAIR = [node("left", { iface: "198.18.7.1/24" }), node("right", { iface: "198.18.7.2/24" })];

/** Prints the datagrams that arrive at UDP 5000 until a second after the first. */
const RECEIVER = `
const socket = require("node:dgram").createSocket("udp4").bind(5000);
const timer = setTimeout(() => socket.close(), 4000);
socket.on("message", (text) => { console.log(String(text)); clearTimeout(timer); setTimeout(() => process.exit(), 1000); });
`;

/** Sends 20 numbered datagrams from UDP 6000. */
const SENDER = `
const socket = require("node:dgram").createSocket("udp4").bind(6000, async () => {
  for (let i = 0; i < 20; i++) await new Promise((sent) => socket.send(process.argv[1] + "-" + i, 5000, "198.18.7.2", sent));
  socket.close();
});
`;

export function describeRuntimeContract({ name, open, traces, describe, keepsClientsApart }: DriverUnderTest): void {
  describe(`${name} runtime`, () => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await open();
    });
    afterAll(() => runtime.close());

    test("carries frames between the nodes of a segment, at the MAC and IP addresses of the topology", async () => {
      const { lab, nodes } = await bringUp(runtime, PAIR);
      try {
        const ping = await nodes.get("left")?.exec("ping", "-c", "1", "-W", "2", "198.18.7.2");
        const neighbour = await nodes.get("left")?.exec("ip", "neigh", "show", "198.18.7.2");
        expect(ping).toMatchObject({ code: 0 });
        expect(neighbour?.output).toContain(PAIR[1]?.setup.interfaces[0]?.mac);
      } finally {
        await lab.destroy();
      }
    });

    test("keeps a segment's frames from the nodes of other segments, and gives no node a way out", async () => {
      const specs = [
        node("left", { one: "198.18.7.1/24" }),
        node("right", { one: "198.18.7.2/24" }),
        node("stranger", { two: "198.18.7.3/24" }),
        node("middlebox", { one: "198.18.7.4/24", two: "198.18.7.4/24" }),
      ];
      const { lab, nodes } = await bringUp(runtime, specs);
      try {
        const left = nodes.get("left");
        const sniffed = nodes.get("stranger")?.exec("timeout", "2", "tcpdump", "-ni", "two", "--immediate-mode");
        await sleep(500);
        await left?.exec("bash", "-c", "echo stray > /dev/udp/198.18.7.3/9; echo heard > /dev/udp/198.18.7.4/9");
        await left?.exec("timeout", "0.5", "ping", "-b", "-i", "0.1", "198.18.7.255");
        expect((await sniffed)?.output).not.toContain("198.18.7.1");
        expect(await left?.exec("ping", "-c", "1", "-W", "1", "198.18.7.3")).not.toMatchObject({ code: 0 });
        expect((await left?.exec("ip", "route", "show"))?.output.trim()).toMatch(/^198\.18\.7\.0\/24 dev one .*$/);
        expect((await left?.exec("ip", "-6", "route", "show", "default"))?.output.trim()).toBe("");
      } finally {
        await lab.destroy();
      }
    });

    if (keepsClientsApart)
      test("keeps the clients of an isolated segment apart, whatever they send, and lets its router reach each", async () => {
        const specs = [
          { ...node("left", { one: "198.18.7.1/24" }), isolatedOn: ["one"] },
          { ...node("right", { one: "198.18.7.2/24" }), isolatedOn: ["one"] },
          node("middlebox", { one: "198.18.7.4/24" }),
        ];
        const { lab, nodes } = await bringUp(runtime, specs);
        try {
          const ask = (from: string, to: string) =>
            nodes.get(from)?.exec("ping", "-c", "2", "-i", "0.2", "-W", "1", to);
          const [apart, all, ...reached] = await Promise.all([
            ask("left", "198.18.7.2"),
            ask("left", "ff02::1%one"),
            ask("left", "198.18.7.4"),
            ask("middlebox", "198.18.7.1"),
            ask("middlebox", "198.18.7.2"),
          ]);
          expect(apart).not.toMatchObject({ code: 0 });
          expect(reached).toMatchObject([{ code: 0 }, { code: 0 }, { code: 0 }]);
          // Of all nodes, left itself and the router at most answer.
          expect(new Set(all?.output.match(/from fe80::[0-9a-f:]+/g)).size).toBeLessThanOrEqual(2);
          const known = (await nodes.get("right")?.exec("ip", "neigh", "show"))?.output ?? "";
          expect(known).not.toContain("198.18.7.1 ");
          expect(known).toContain("198.18.7.4 ");
        } finally {
          await lab.destroy();
        }
      });

    test("runs two labs with identical addresses at once without one touching the other", async () => {
      const labs = await Promise.all([bringUp(runtime, PAIR), bringUp(runtime, PAIR)]);
      try {
        const received = await Promise.all(
          labs.map(async ({ nodes }, i) => {
            const server = nodes.get("right")?.exec("node", "-e", RECEIVER);
            await sleep(500);
            await nodes.get("left")?.exec("node", "-e", SENDER, `lab${i}`);
            return (await server)?.output.trim().split("\n");
          }),
        );
        const expected = labs.map((_, i) => Array.from({ length: 20 }, (__, n) => `lab${i}-${n}`));
        expect(received).toEqual(expected);
      } finally {
        await Promise.all(labs.map(({ lab }) => lab.destroy()));
      }
    });

    test("sets a node's kernel parameters before its first process runs", async () => {
      const spec = { ...node("router", { iface: "198.18.7.1/24" }), sysctls: { "net.ipv4.ip_forward": "1" } };
      const { lab, nodes } = await bringUp(runtime, [spec]);
      try {
        expect(await nodes.get("router")?.exec("cat", "/proc/sys/net/ipv4/ip_forward")).toMatchObject({
          output: "1\n",
        });
      } finally {
        await lab.destroy();
      }
    });

    test("reports a node that crashes with its exit code and the last lines of its log", async () => {
      const { lab, nodes } = await bringUp(runtime, PAIR);
      try {
        const lastWords = Array.from({ length: 30 }, (_, i) => `line ${i} · ünïcode`);
        const left = nodes.get("left");
        left?.tell({ type: "crash", code: 7, lastWords });
        expect(await left?.handle.exited).toEqual({ code: 7, logTail: lastWords.slice(-20) });
        expect(left?.handle.log()).toBe(`${lastWords.join("\n")}\n`);
      } finally {
        await lab.destroy();
      }
    });

    test("removes everything on destroy, also in the middle of creation and more than once", async () => {
      const identity = newIdentity();
      const lab = runtime.createLab(identity, new AbortController().signal);
      await lab.createSegments([segment("segment")]);
      const creating = lab.createNodes(PAIR).catch((error: unknown) => error);
      await sleep(20);
      const [first, second] = await Promise.all([lab.destroy(), lab.destroy()]);
      await creating;
      expect([first, second]).toEqual([{ leftovers: [] }, { leftovers: [] }]);
      expect(await traces(identity.runId)).toEqual([]);
      await expect(lab.createSegments([segment("late")])).rejects.toThrow();
    });

    test("makes nothing after the run was interrupted", async () => {
      const identity = newIdentity();
      const interruption = new AbortController();
      const lab = runtime.createLab(identity, interruption.signal);
      interruption.abort(new Error("Ctrl-C"));
      await expect(lab.createSegments([segment("segment")])).rejects.toThrow("Ctrl-C");
      expect(await lab.destroy()).toEqual({ leftovers: [] });
      expect(await traces(identity.runId)).toEqual([]);
    });

    test("lists its labs and removes one by its run id, whoever made it", async () => {
      const identity = newIdentity();
      await bringUp(runtime, PAIR, identity);
      const other = await open();
      const listed = (await other.listLabs()).find(({ runId }) => runId === identity.runId);
      expect(listed).toMatchObject({ topology: "contract", isOwnerAlive: true, isKept: false });
      expect([...(listed?.nodes ?? [])].sort()).toEqual(["left", "right"]);
      expect(await other.removeLab(identity.runId)).toEqual({ leftovers: [] });
      await other.close();
      expect(await traces(identity.runId)).toEqual([]);
    });

    test("hands over lines whole and in order, however long they are", async () => {
      const { lab, nodes } = await bringUp(runtime, PAIR);
      try {
        const left = nodes.get("left");
        const shout = (length: number) => left?.exec("sh", "-c", `printf 'é%.0s' $(seq ${length})`);
        const answers = [await shout(1), await shout(50_000), await shout(300_000)];
        expect(answers.map((answer) => answer?.output.length)).toEqual([1, 50_000, 300_000]);
        expect(answers.every((answer) => /^é+$/.test(answer?.output ?? ""))).toBe(true);
      } finally {
        await lab.destroy();
      }
    });

    test("connects a node that is attached to nothing to nothing", async () => {
      const lab = runtime.createLab(newIdentity(), new AbortController().signal);
      try {
        await lab.createNodes([node("alone", {})]);
        const alone = await askable(await lab.startNode("alone"));
        const { output } = await alone.exec("ip", "-o", "link", "show", "up");
        expect(output).toMatch(/^1: lo:[^\n]*\n$/);
      } finally {
        await lab.destroy();
      }
    });
  });
}
