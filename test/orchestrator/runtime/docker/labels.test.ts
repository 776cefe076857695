import { expect, test } from "vitest";
import { labelFilter, objectLabels, ownHost, readLabels } from "../../../../orchestrator/runtime/docker/labels.ts";

const IDENTITY = {
  runId: "20260101-000000-nat-nat-00ff",
  topology: "nat-nat",
  owner: { pid: 42, startTicks: "123", bootId: "b00t" },
};

test("labels are read back as they were written", () => {
  const { runId, topology, owner } = IDENTITY;
  expect(readLabels(objectLabels(IDENTITY, "mn"))).toEqual({
    runId,
    topology,
    name: "mn",
    owner,
    ownerHost: ownHost(),
  });
});

test.each([[{}], [{ "com.docker.compose.project": "theirs" }], [{ "mice.testbed.run": "" }]])(
  "an object labelled %j is not ours",
  (labels) => {
    expect(readLabels(labels)).toBeUndefined();
  },
);

test("filters name one run or every run, and always our label", () => {
  expect(labelFilter("r1")).toEqual({ label: ["mice.testbed.run=r1"] });
  expect(labelFilter()).toEqual({ label: ["mice.testbed.run"] });
});
