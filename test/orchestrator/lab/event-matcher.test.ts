import { expect, test } from "vitest";
import { any, createEventMatcher, every } from "../../../orchestrator/lab/event-matcher.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";

const requested = (node: string): LabEvent => ({
  at: 0,
  type: "node",
  node,
  event: { type: "offer-requested", peer: "p" },
});
const ready: LabEvent = { at: 0, type: "node-ready", node: "cn" };

test("what was seen stays seen, and every event is looked at once", () => {
  const looked: string[] = [];
  const isSeen = createEventMatcher((node) => {
    looked.push(node);
    return node === "cn";
  });
  const events = [requested("mn"), ready];
  expect([isSeen(events), isSeen(events)]).toEqual([false, false]);
  events.push(requested("ha"), requested("cn"), requested("mn"));
  expect([isSeen(events), isSeen(events)]).toEqual([true, true]);
  expect(looked).toEqual(["mn", "ha", "cn"]);
});

test("several are seen once each one is, or any", () => {
  const of = (name: string) => createEventMatcher((node) => node === name);
  const [both, one] = [every([of("mn"), of("cn")]), any([of("mn"), of("cn")])];
  const events = [requested("cn")];
  expect([both(events), one(events)]).toEqual([false, true]);
  events.push(requested("mn"));
  expect([both(events), one(events)]).toEqual([true, true]);
});
