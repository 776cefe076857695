import { beforeAll } from "vitest";
import { createDockerRuntime } from "../../orchestrator/runtime/docker/docker-runtime.ts";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { labelFilter } from "../../orchestrator/runtime/docker/labels.ts";
import { ensureProgramImage } from "./node-under-test/image.ts";
import { describeRuntimeContract } from "./node-under-test/runtime-contract.ts";

let engine: Engine;
let image: string;

beforeAll(async () => {
  engine = await connectEngine();
  image = await ensureProgramImage(engine);
});

describeRuntimeContract({
  name: "docker",
  open: () => Promise.resolve(createDockerRuntime({ engine, nodeImage: () => Promise.resolve(image) })),
  traces: async (runId) => {
    const filters = labelFilter(runId);
    const containers = await engine.docker.listContainers({ all: true, filters });
    const networks = await engine.docker.listNetworks({ filters });
    return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
  },
});
