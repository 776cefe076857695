import { expect, test } from "vitest";
import { createCaptureStreams } from "../../../orchestrator/lab/capture-streams.ts";

test("captures end where there is more of them than a run keeps, which is said once", () => {
  const cuts: string[] = [];
  const captures = createCaptureStreams(() => cuts.push("cut"), 5);
  captures.append("mn", "lan", Buffer.from([1, 2]));
  captures.append("cn", "lan", Buffer.from([3, 4, 5]));
  expect(cuts).toEqual([]);
  captures.append("mn", "lan", Buffer.from([6]));
  captures.append("cn", "lan", Buffer.from([7]));
  captures.complete("mn", "lan", 8);
  expect(cuts).toEqual(["cut"]);
  expect(captures.all()).toEqual([
    { node: "mn", segment: "lan", pcap: Buffer.from([1, 2]), droppedByKernel: 8 },
    { node: "cn", segment: "lan", pcap: Buffer.from([3, 4, 5]) },
  ]);
});
