import { describe, expect, test } from "vitest";
import { observeEffects } from "../../../orchestrator/judge/event-effect.ts";
import type { NodeEvent } from "../../../orchestrator/lab/lab-event.ts";
import { runLab } from "../../../orchestrator/lab/run-lab.ts";
import type { Deed, TimelineStep } from "../../../orchestrator/plan/plan.ts";
import { MN_HOME, pairOf, TWO_ENDS } from "../../support/lab-events.ts";
import { createScriptedRuntime, type NodeScript, obey, type ScriptedNode } from "../../support/scripted-runtime.ts";
import { cooperative, event, failing, PAIR, PLAN, request } from "../../support/two-ends-lab.ts";

function reboot(node: string, downMs: number): Deed {
  return { node, command: { type: "reboot", rules: [], downMs } };
}

describe("a timeline", () => {
  const step = (atMs: number, name: string): TimelineStep => ({
    name,
    when: { plusMs: atMs },
    text: "cn reboots",
    deeds: [reboot("cn", 0)],
  });
  const timeline = [step(0, "first"), step(30, "second")];

  test("is played once every session has exchanged its data, with data flowing all the while", async () => {
    const seen: string[] = [];
    const scripts = cooperative();
    const noting = (script: NodeScript): NodeScript => ({
      command(node, command) {
        if (["echo", "start-flow", "reboot", "stop-flow"].includes(command.type)) seen.push(command.type);
        script.command?.(node, command);
      },
    });
    const runtime = createScriptedRuntime({ mn: noting(scripts.mn), cn: noting(scripts.cn) });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(seen).toEqual(["echo", "start-flow", "reboot", "reboot", "stop-flow"]);
    expect(record.events.flatMap((entry) => (entry.type === "timeline" ? [entry.name] : []))).toEqual([
      "first",
      "second",
    ]);
    const effects = observeEffects(TWO_ENDS, record.events);
    expect(effects.at(-1)).toMatchObject({ event: "second", packetsSent: 10, packetsLost: 0 });
  });

  test("goes on while a session that fell back has a direct path to win back, as the model says", async () => {
    const seen: string[] = [];
    const scripts = cooperative();
    const report = (node: ScriptedNode, atMs: number, nodeEvent: NodeEvent): void => {
      seen.push(nodeEvent.type === "path" ? nodeEvent.path : nodeEvent.type);
      node.report({ type: "event", atMs, event: nodeEvent });
    };
    const cn: NodeScript = {
      command(node, command) {
        scripts.cn.command?.(node, command);
        if (command.type !== "reboot") return;
        report(node, 600, { type: "path", peer: MN_HOME, path: "home-agents" });
        report(node, 610, { type: "nominated", peer: MN_HOME, pair: pairOf("relayed", "relayed"), afterMs: 1 });
        setTimeout(() => report(node, 700, { type: "path", peer: MN_HOME, path: "direct", pair: PAIR }), 50);
      },
    };
    const mn: NodeScript = {
      command(node, command) {
        if (command.type === "stop-flow") seen.push(command.type);
        scripts.mn.command?.(node, command);
      },
    };
    const predictions = [{ session: "mn-cn", after: "first", path: "direct", why: [] }] as const;
    const runtime = createScriptedRuntime({ mn, cn });
    const plan = { ...PLAN, timeline: timeline.slice(0, 1) };
    const record = await runLab(request(runtime, { plan, predictions }));
    await record.removal;
    expect(seen).toEqual(["home-agents", "nominated", "direct", "stop-flow"]);
  });

  test("has the events of one instant happen together, those of one node in turn", async () => {
    const scripts = cooperative();
    const begun: string[] = [];
    const waiting: (() => void)[] = [];
    /** A node that is done only when a command has come to both. */
    const slow = (name: "mn" | "cn"): NodeScript => ({
      command(node, command) {
        if (command.type !== "reboot") {
          scripts[name].command?.(node, command);
          return;
        }
        begun.push(`${name} ${command.downMs}`);
        waiting.push(() => obey(node, command));
        if (begun.includes("mn 1") && begun.includes("cn 1")) for (const done of waiting.splice(0)) done();
      },
    });
    const together = [
      { ...step(0, "mn-first"), deeds: [reboot("mn", 1)] },
      { ...step(0, "cn-first"), deeds: [reboot("cn", 1)] },
      { ...step(0, "cn-second"), deeds: [reboot("cn", 2)] },
    ];
    const runtime = createScriptedRuntime({ mn: slow("mn"), cn: slow("cn") });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline: together } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(begun).toEqual(["mn 1", "cn 1", "cn 2"]);
  });

  test("a step that lasts, such as a reboot, delays no step of another node", async () => {
    const scripts = cooperative();
    let finish: (() => void) | undefined;
    const mn: NodeScript = {
      command(node, command) {
        if (command.type === "reboot") finish = () => obey(node, command);
        else scripts.mn.command?.(node, command);
      },
    };
    const cn: NodeScript = {
      command(node, command) {
        scripts.cn.command?.(node, command);
        if (command.type === "reboot") finish?.();
      },
    };
    const steps = [{ ...step(0, "long"), deeds: [reboot("mn", 0)] }, step(30, "meanwhile")];
    const record = await runLab(request(createScriptedRuntime({ mn, cn }), { plan: { ...PLAN, timeline: steps } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    const names = record.events.flatMap((entry) => (entry.type === "timeline" ? [entry.name] : []));
    expect(names.toSorted()).toEqual(["long", "meanwhile"]);
  });

  test("an event that follows another counts from when that was done, one that waits for a state from then", async () => {
    const scripts = cooperative();
    const begun: string[] = [];
    const cn: NodeScript = {
      command(node, command) {
        if (command.type !== "reboot") {
          scripts.cn.command?.(node, command);
          return;
        }
        begun.push(`${command.downMs}`);
        setTimeout(() => obey(node, command), 40);
        if (command.downMs === 2)
          setTimeout(() => event(node, { type: "session-failed", peer: MN_HOME, reason: "no pair" }), 60);
      },
    };
    const timed = (name: string, when: TimelineStep["when"], downMs: number): TimelineStep => ({
      ...step(0, name),
      when,
      deeds: [reboot("cn", downMs)],
    });
    const steps = [
      timed("first", { plusMs: 0 }, 1),
      timed("second", { after: { event: "first", isSettled: false }, plusMs: 30 }, 2),
      timed("third", { on: { type: "state", session: "mn-cn", state: "failed" }, plusMs: 0 }, 3),
    ];
    const runtime = createScriptedRuntime({ mn: scripts.mn, cn });
    const record = await runLab(request(runtime, { plan: { ...PLAN, timeline: steps } }));
    await record.removal;
    expect(record.error).toBeUndefined();
    expect(begun).toEqual(["1", "2", "3"]);
  });

  test("an event that never happens ends the run by its timeout, which names it", async () => {
    const never: TimelineStep = {
      ...step(0, "never"),
      when: { on: { type: "state", session: "mn-cn", state: "failed" }, plusMs: 0 },
    };
    const timeline = [step(0, "first"), never];
    const error = await failing(cooperative(), { plan: { ...PLAN, timeline }, timeoutMs: 400 });
    expect(error.code).toBe("timed-out");
    expect(error.message).toBe(
      "expected the run to end within 0.4 s, and it has not; its timeline still waits for never (once mn-cn has failed)",
    );
  });

  test("ends with the run: what is still to come does not happen", async () => {
    const runtime = createScriptedRuntime(cooperative());
    const late = { ...PLAN, timeline: [step(60_000, "late")] };
    const record = await runLab(request(runtime, { plan: late, timeoutMs: 200 }));
    await record.removal;
    expect(record.error).toMatchObject({ code: "timed-out" });
    expect(record.events.some(({ type }) => type === "timeline")).toBe(false);
  });
});
