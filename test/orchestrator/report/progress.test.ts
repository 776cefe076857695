import { expect, test } from "vitest";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { describeEvent } from "../../../orchestrator/report/progress.ts";
import { CN_HOME, connectedEvents, nodeEvent, pairOf } from "../../support/lab-events.ts";

test("a run reads as a story, one line for each thing that matters", () => {
  const story = connectedEvents(pairOf("server-reflexive", "host")).map(describeEvent);
  expect(story.filter((line) => line !== undefined)).toMatchInlineSnapshot(`
    [
      "mn: registered 2001:db8:a::100 from 198.18.0.11:40000",
      "cn: registered 2001:db8:b::200 from 198.18.0.11:40000",
      "mn-cn: ping through both home agents 3 of 3, 3 ms",
      "mn: CoTI-ICE: offer of 1 candidate",
      "mn: candidate server-reflexive 198.18.0.11:40000",
      "cn: candidate host 198.18.0.12:40000",
      "mn: ordinary check server-reflexive 198.18.0.11:40000 → host 198.18.0.12:40000",
      "cn: ordinary check host 198.18.0.12:40000 → server-reflexive 198.18.0.11:40000",
      "mn: check answered server-reflexive 198.18.0.11:40000 → host 198.18.0.12:40000 in 10 ms",
      "mn: nominated server-reflexive 198.18.0.11:40000 → host 198.18.0.12:40000",
      "cn: nominated host 198.18.0.12:40000 → server-reflexive 198.18.0.11:40000",
      "cn: Binding Update for ::1, status 0",
      "cn: data goes directly",
      "mn: binding accepted for 420 s",
      "mn: data goes directly",
      "mn-cn: ping 2 of 3, 1.1 ms",
      "mn-cn: echo 4 of 4, 0.63 ms",
    ]
  `);
});

test.each<[LabEvent, string | undefined]>([
  [{ at: 0, type: "segments-made", segments: ["internet", "home-lan"] }, "segments: internet, home-lan"],
  [{ at: 0, type: "nodes-made", nodes: ["nat-a", "mn"] }, "nodes: nat-a, mn"],
  [
    { at: 0, type: "gave-up", session: "mn-cn", waitedFor: "nomination", afterMs: 25_000 },
    "mn-cn: no nomination within 25 s, waiting no longer",
  ],
  [{ at: 0, type: "removed", leftovers: [] }, "everything removed"],
  [{ at: 0, type: "removed", leftovers: ["network x stays"] }, "network x stays"],
  [{ at: 0, type: "phase-ended", phase: "data", durationMs: 5 }, undefined],
  [
    nodeEvent(0, "mn", {
      type: "check-list",
      peer: CN_HOME,
      role: "controlling",
      pairs: [pairOf("host", "host")],
      cut: { pairs: 0, candidates: 0 },
    }),
    "mn: controlling, check list of 1 pair",
  ],
  [
    nodeEvent(0, "mn", {
      type: "check-list",
      peer: CN_HOME,
      role: "controlled",
      pairs: [],
      cut: { pairs: 206, candidates: 3 },
    }),
    "mn: controlled, check list of 0 pairs (206 more left out, 3 of the peer's candidates not used)",
  ],
  [
    nodeEvent(0, "mn", {
      type: "registered",
      homeAddress: "2001:db8:a::100",
      careOf: { ip: "2001:db8:1::5", port: 40_000 },
      natDetected: true,
      lifetimeSec: 420,
    }),
    "mn: registered 2001:db8:a::100 from [2001:db8:1::5]:40000, behind a NAT",
  ],
  [
    nodeEvent(0, "mn", {
      type: "pair-dead",
      peer: CN_HOME,
      pair: pairOf("host", "host"),
      reason: "mapping-changed",
      silentMs: 5000,
    }),
    "mn: pair dead, host 198.18.0.11:40000 → host 198.18.0.12:40000: a NAT on the path mapped it anew",
  ],
  [
    nodeEvent(0, "mn", {
      type: "pair-dead",
      peer: CN_HOME,
      pair: pairOf("host", "host"),
      reason: "no-answer",
      silentMs: 15_000,
    }),
    "mn: pair dead, host 198.18.0.11:40000 → host 198.18.0.12:40000: no answer for 15 s",
  ],
  [
    nodeEvent(0, "mn", {
      type: "check-refused",
      peer: CN_HOME,
      pair: pairOf("host", "host"),
      by: "198.18.0.1",
      reason: "port unreachable",
    }),
    "mn: check refused host 198.18.0.11:40000 → host 198.18.0.12:40000: by 198.18.0.1, port unreachable",
  ],
  [nodeEvent(0, "mn", { type: "keepalive-sent", peer: CN_HOME, pair: pairOf("host", "host") }), undefined],
])("%j reads %j", (event, line) => {
  expect(describeEvent(event)).toBe(line);
});
