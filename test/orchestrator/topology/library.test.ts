import { expect, test } from "vitest";
import { readTopologyFile, topologyNames } from "../../../orchestrator/commands/topology-files.ts";
import { resolved } from "./sample.ts";

test.each(await topologyNames())("%s expects no round trip, which the load of the machine decides", async (name) => {
  const { text } = await readTopologyFile(name, "/");
  const { expectations } = resolved(text);
  expect(expectations.filter((each) => "roundTripWithinMs" in each)).toEqual([]);
});
