import { expect, test } from "vitest";
import type { NodeEvent } from "../../../../agent/src/core/events.ts";
import { createAutostart } from "../../../../agent/src/io/traffic/autostart.ts";

const peer = "2001:db8:b::2";
const registered: NodeEvent = {
  type: "registered",
  homeAddress: "2001:db8:a::2",
  careOf: { ip: "192.168.1.2", port: 4191 },
  natDetected: true,
  lifetimeSec: 600,
};

function autostartUnderTest(registers = true) {
  const done: string[] = [];
  const waiting: { delayMs: number; action: () => void }[] = [];
  const actions = {
    connect: (to: string) => void done.push(`connect ${to}`),
    echo: (to: string) => void done.push(`echo ${to}`),
    after: (delayMs: number, action: () => void) => void waiting.push({ delayMs, action }),
  };
  const onEvent = createAutostart([peer], actions, { registers });
  return { onEvent, done, waiting };
}

test("a node without orchestrator connects when it is registered, once", () => {
  const { onEvent, done } = autostartUnderTest();
  onEvent({ type: "registration-failed", reason: "timeout" });
  onEvent(registered);
  onEvent(registered);
  expect(done).toEqual([`connect ${peer}`]);
});

test("a stationary node, which registers nowhere, connects at once", () => {
  const { done, waiting } = autostartUnderTest(false);
  expect(waiting.map(({ delayMs }) => delayMs)).toEqual([0]);
  waiting[0]?.action();
  expect(done).toEqual([`connect ${peer}`]);
});

test("a session that failed is tried again after a while", () => {
  const { onEvent, done, waiting } = autostartUnderTest();
  onEvent({ type: "session-failed", peer, reason: "no answer" });
  expect(done).toEqual([]);
  expect(waiting.map(({ delayMs }) => delayMs)).toEqual([2000]);
  waiting[0]?.action();
  expect(done).toEqual([`connect ${peer}`]);
});

test("echo traffic starts with the first path and goes on at its pace", () => {
  const { onEvent, done, waiting } = autostartUnderTest();
  onEvent({ type: "path", peer, path: "home-agents" });
  onEvent({ type: "path", peer, path: "direct" });
  expect(done).toEqual([`echo ${peer}`]);
  waiting[0]?.action();
  expect(done).toEqual([`echo ${peer}`, `echo ${peer}`]);
  expect(waiting.map(({ delayMs }) => delayMs)).toEqual([5000, 5000]);
});

test("sessions that peers started are none of its business", () => {
  const { onEvent, done, waiting } = autostartUnderTest();
  onEvent({ type: "session-failed", peer: "2001:db8:c::2", reason: "no answer" });
  onEvent({ type: "path", peer: "2001:db8:c::2", path: "direct" });
  expect([...done, ...waiting]).toEqual([]);
});
