/** Everything a machine needs for `npm run testbed`, in the order of needing it. */

import { existsSync } from "node:fs";
import type { Engine } from "../runtime/docker/engine.ts";
import { describeEngineStep, nextEngineStep } from "./engine-step.ts";
import { ensureEngine } from "./ensure-engine.ts";
import { ensureImage, findImage } from "./images.ts";
import { gatherFacts } from "./machine-facts.ts";
import type { Say } from "./progress.ts";
import { findRootAccess, runAsRoot } from "./root-command.ts";

const TUN_DEVICE = "/dev/net/tun";

/** Does what is missing and says so. Throws `setup-failed` where the machine does not allow it. */
export async function setUp(say: Say): Promise<void> {
  const engine = await ensureEngine(say);
  say(describeEngine(engine));
  if (isTunMissing(engine)) await makeTunDevice(say);
  await ensureImage(engine, "node", say);
  say("the node image is up to date");
}

/** Says what is there and what is missing, and changes nothing. Returns whether nothing is missing. */
export async function checkSetUp(say: Say): Promise<boolean> {
  const { facts, engine } = await gatherFacts();
  if (engine === undefined) {
    say(`missing  ${describeEngineStep(nextEngineStep(facts))}`);
    return false;
  }
  say(`ok       ${describeEngine(engine)}`);
  const image = await findImage(engine, "node");
  const images = { current: "ok       the node image is up to date", stale: STALE, missing: MISSING };
  say(images[image.state]);
  if (isTunMissing(engine)) say(`missing  ${TUN_DEVICE}, which mobile nodes and home agents need`);
  return image.state === "current" && !isTunMissing(engine);
}

const STALE = "missing  the node image was built from older sources (a run brings it up to date by itself)";
const MISSING = "missing  the node image has not been built";

function describeEngine({ version, endpoint }: Engine): string {
  return `Docker ${version.engine} answers at ${endpoint}`;
}

/** Only a local engine's devices can be seen from here. */
function isTunMissing({ isLocal }: Engine): boolean {
  return isLocal && !existsSync(TUN_DEVICE);
}

async function makeTunDevice(say: Say): Promise<void> {
  say(`${TUN_DEVICE} is not there, which mobile nodes and home agents need: making it`);
  const make = "modprobe tun 2>/dev/null; [ -e $0 ] || { mkdir -p /dev/net && mknod -m 666 $0 c 10 200; }";
  await runAsRoot(await findRootAccess(), ["sh", "-c", make, TUN_DEVICE], say);
}
