/** What the docker runtime needs: an engine that answers, and the image that nodes run. */

import type { Engine } from "../runtime/docker/engine.ts";
import { describeEngineStep, nextEngineStep } from "./engine-step.ts";
import { ensureEngine } from "./ensure-engine.ts";
import type { Finding } from "./finding.ts";
import { ensureImage, findImage, type ImageState } from "./images.ts";
import { gatherFacts } from "./machine-facts.ts";
import type { Say } from "./progress.ts";
import { checkTunDevice, ensureTunDevice } from "./tun-device.ts";

/** Installs, starts and builds what is missing. Throws `setup-failed` where the machine does not allow it. */
export async function setUpDocker(say: Say): Promise<void> {
  const engine = await ensureEngine(say);
  say(describeEngine(engine));
  // Devices can be checked only for a local engine.
  if (engine.isLocal) await ensureTunDevice(say);
  await ensureImage(engine, "node", say);
  say("the node image is up to date");
}

/** Changes nothing. */
export async function checkDocker(): Promise<readonly Finding[]> {
  const { facts, engine } = await gatherFacts();
  if (engine === undefined) return [{ state: "missing", text: describeEngineStep(nextEngineStep(facts)) }];
  const image = await findImage(engine, "node");
  return [
    { state: "ok", text: describeEngine(engine) },
    IMAGE_FINDINGS[image.state],
    ...(engine.isLocal ? checkTunDevice() : []),
  ];
}

const IMAGE_FINDINGS: Readonly<Record<ImageState["state"], Finding>> = {
  current: { state: "ok", text: "the node image is up to date" },
  stale: {
    state: "missing",
    text: "the node image was built from older sources (a run brings it up to date by itself)",
  },
  missing: { state: "missing", text: "the node image has not been built" },
};

function describeEngine({ version, endpoint }: Engine): string {
  return `Docker ${version.engine} answers at ${endpoint}`;
}
