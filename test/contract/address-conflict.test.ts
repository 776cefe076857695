import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import { bridgeNetfilter } from "../../orchestrator/runtime/docker/bridge-netfilter.ts";
import { createDockerRuntime } from "../../orchestrator/runtime/docker/docker-runtime.ts";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { needs } from "../support/needs.ts";
import { node } from "./node-under-test/lab.ts";
import { labImages } from "./node-under-test/lab-images.ts";

const { describe, test } = await needs("engine");

describe("a plan with addresses inside another Docker network", () => {
  const name = `contract-conflict-${randomBytes(3).toString("hex")}`;
  let engine: Engine;
  beforeAll(async () => {
    engine = await connectEngine();
    await engine.docker.createNetwork({ Name: name, IPAM: { Config: [{ Subnet: "10.99.64.0/24" }] } });
  });
  afterAll(() => engine.docker.getNetwork(name).remove());

  const check = (address: string): Promise<void> | undefined => {
    const runtime = createDockerRuntime({ engine, images: labImages(engine, "unused") });
    return runtime.checkPlan?.({ nodes: [node("mn", { lan: address })], programs: [] });
  };

  test("is refused where br_netfilter is on, naming both and the ways out", async () => {
    const checked = expect(check("10.99.64.7/28"));
    if (bridgeNetfilter(engine) === false) return checked.resolves.toBeUndefined();
    return checked.rejects.toMatchObject({
      code: "address-conflict",
      message: expect.stringMatching(new RegExp(`node mn .*10\\.99\\.64\\.7.*10\\.99\\.64\\.0/24.*${name}`)) as string,
      hint: expect.stringContaining(`docker network rm ${name}`) as string,
    });
  });

  test("is let through when its addresses are nobody's", async () => {
    await expect(check("10.99.65.7/24")).resolves.toBeUndefined();
    await expect(check("2001:db8::7/64")).resolves.toBeUndefined();
  });
});
