import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesBeside } from "../../../orchestrator/commands/referenced-files.ts";
import { readTopologyFile, topologyNames } from "../../../orchestrator/commands/topology-files.ts";
import { loadTopology } from "../../../orchestrator/topology/resolve/load.ts";

test.each(await topologyNames())("%s expects no round trip, which the load of the machine decides", async (name) => {
  const { text, path } = await readTopologyFile(name, "/");
  const loaded = loadTopology(text, `${name}.yaml`, { referenced: filesBeside(dirname(path)) });
  expect(loaded).toMatchObject({ ok: true });
  const expectations = loaded.ok ? loaded.topology.expectations : [];
  expect(expectations.filter((each) => "roundTripWithinMs" in each)).toEqual([]);
});
