import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { createDockerRuntime } from "../../orchestrator/runtime/docker/docker-runtime.ts";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS, labelFilter } from "../../orchestrator/runtime/docker/labels.ts";
import type { Runtime } from "../../orchestrator/runtime/runtime.ts";
import { ensureBaseImage } from "../../orchestrator/setup/base-image.ts";
import { currentProcess } from "../../orchestrator/support/process-identity.ts";
import { needs } from "../support/needs.ts";
import { ensureProgramImage } from "./node-under-test/image.ts";
import { bringUp, newIdentity, node } from "./node-under-test/lab.ts";
import { labImages } from "./node-under-test/lab-images.ts";
import { describeRuntimeContract } from "./node-under-test/runtime-contract.ts";

const { describe, test } = await needs("engine");

let engine: Engine;
let image: string;

beforeAll(async () => {
  engine = await connectEngine();
  image = await ensureProgramImage(engine);
});

const open = (): Promise<Runtime> => Promise.resolve(createDockerRuntime({ engine, images: labImages(engine, image) }));

/** Names of a run's containers and networks. */
async function traces(runId: string): Promise<readonly string[]> {
  const filters = labelFilter(runId);
  const containers = await engine.docker.listContainers({ all: true, filters });
  const networks = await engine.docker.listNetworks({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
}

/** A process that cannot exist: its pid is out of the kernel's range. */
const DEAD_OWNER = { ...currentProcess(), pid: 2 ** 22 + 1, startTicks: "1" };

/** capabilities(7): bit 12. */
const CAP_NET_ADMIN = 1n << 12n;

const ALONE = [node("alone", { segment: "198.18.7.1/24" })];

describeRuntimeContract({ name: "docker", open, traces, describe, keepsClientsApart: false });

describe("labs on a Docker engine", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await open();
  });
  afterAll(() => runtime.close());

  test("label every object with its run, topology, name and owner", async () => {
    const identity = newIdentity();
    const { lab } = await bringUp(runtime, ALONE, identity);
    try {
      const filters = labelFilter(identity.runId);
      const [container] = await engine.docker.listContainers({ filters });
      const [network] = await engine.docker.listNetworks({ filters });
      const { owner } = identity;
      const common = {
        [LABELS.run]: identity.runId,
        [LABELS.topology]: "contract",
        [LABELS.ownerPid]: String(owner.pid),
        [LABELS.ownerStart]: owner.startTicks,
        [LABELS.bootId]: owner.bootId,
      };
      expect(container?.Labels).toMatchObject({ ...common, [LABELS.name]: "alone" });
      expect(network?.Labels).toMatchObject({ ...common, [LABELS.name]: "segment" });
    } finally {
      await lab.destroy();
    }
  });

  test("end with the orchestrator's connection, unless they are kept", async () => {
    const [ending, kept] = [newIdentity(), newIdentity()];
    const dying = await open();
    await bringUp(dying, ALONE, ending);
    const { lab } = await bringUp(dying, ALONE, kept);
    await lab.keep();
    await dying.close();
    try {
      await expect.poll(() => runningNodes(ending.runId), { timeout: 3000 }).toBe(0);
      await sleep(500);
      expect(await runningNodes(kept.runId)).toBe(1);
      const listed = (await runtime.listLabs()).find(({ runId }) => runId === kept.runId);
      expect(listed).toMatchObject({ isKept: true, nodes: ["alone"] });
    } finally {
      await Promise.all([ending, kept].map(({ runId }) => runtime.removeLab(runId)));
    }
    expect([...(await traces(ending.runId)), ...(await traces(kept.runId))]).toEqual([]);
  });

  test("are swept when their owner is dead, and only then", async () => {
    const dead = { ...newIdentity(), owner: DEAD_OWNER };
    const deadButKept = { ...newIdentity(), owner: DEAD_OWNER };
    const rebooted = { ...newIdentity(), owner: { ...currentProcess(), bootId: "of an earlier boot" } };
    const alive = newIdentity();
    const stranger = await engine.docker.createNetwork({ Name: `mice-${dead.runId}-unlabelled` });
    try {
      await Promise.all([dead, rebooted, alive].map((identity) => bringUp(runtime, ALONE, identity)));
      const { lab } = await bringUp(runtime, ALONE, deadButKept);
      await lab.keep();
      const lines = await runtime.sweep();
      expect(lines.filter((line) => line.includes(dead.runId))).toHaveLength(1);
      expect(await traces(dead.runId)).toEqual([]);
      expect(await traces(rebooted.runId)).toEqual([]);
      expect(await traces(alive.runId)).toHaveLength(2);
      expect(await traces(deadButKept.runId)).toHaveLength(2);
      expect(await stranger.inspect()).toMatchObject({ Name: `mice-${dead.runId}-unlabelled` });
    } finally {
      await stranger.remove();
      const runs = [dead, rebooted, alive, deadButKept];
      await Promise.all(runs.map(({ runId }) => runtime.removeLab(runId)));
    }
  });

  test("take in a host program of another image that shares its node's network and may not change it", async () => {
    const { lab } = await bringUp(runtime, ALONE);
    try {
      const heard: string[] = [];
      const guest = await lab.startProgram(
        {
          name: "program",
          inside: "alone",
          source: { type: "image", image: await ensureBaseImage(engine, () => undefined) },
          command: [
            "bash",
            "-c",
            'echo "peer $PEER"; cat /sys/class/net/segment/address; cat /proc/self/status; exit 5',
          ],
          environment: { PEER: "198.18.7.9" },
        },
        (stream, piece) => heard.push(`${stream}: ${Buffer.from(piece).toString()}`),
      );
      expect(await guest.exited).toMatchObject({ code: 5 });
      expect(guest.log()).toContain("peer 198.18.7.9\n");
      expect(heard.join("")).toContain("stdout: peer 198.18.7.9\n");
      expect(guest.log()).toContain(ALONE[0]?.setup.interfaces[0]?.mac);
      const capabilities = BigInt(`0x${/CapEff:\s*(\w+)/.exec(guest.log())?.[1] ?? ""}`);
      expect(capabilities & CAP_NET_ADMIN).toBe(0n);
    } finally {
      await lab.destroy();
    }
  });

  test("refuse a host program whose image the engine does not have, and say how to get it", async () => {
    const { lab } = await bringUp(runtime, ALONE);
    try {
      const spec = {
        name: "program",
        inside: "alone",
        source: { type: "image", image: "no-such-image:anywhere" },
        environment: {},
      } as const;
      await expect(lab.startProgram(spec, () => undefined)).rejects.toMatchObject({
        code: "no-image",
        hint: expect.stringContaining("docker pull no-such-image:anywhere") as string,
      });
    } finally {
      await lab.destroy();
    }
  });
});

async function runningNodes(runId: string): Promise<number> {
  return (await engine.docker.listContainers({ filters: labelFilter(runId) })).length;
}
