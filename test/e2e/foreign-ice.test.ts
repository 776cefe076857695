/** Interoperability with a third-party ICE agent: Debian's aioice and this package's ICE agent behind two NATs. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { buildImage } from "../../orchestrator/setup/build-image.ts";
import type { ContextFile } from "../../orchestrator/setup/bundle.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { hostArch, nodeBinary } from "../../orchestrator/setup/linux-packages.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("engine");

const SOURCES = join(PACKAGE_ROOT, "test/foreign-peer");
const IMAGE = "mice-testbed/foreign-peer:test";
const EXTERNAL_A = "198.18.0.3";
const EXTERNAL_B = "198.18.0.4";

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
  const engine = await connectEngine();
  const base = await ensureImage(engine, "tools", () => undefined);
  const bundle = join(out.path, "ice-peer.mjs");
  await build({
    entryPoints: [join(SOURCES, "ice-peer.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: bundle,
  });
  const context: readonly ContextFile[] = [
    ...["Dockerfile", "rendezvous.py", "aioice_peer.py"].map((path) => ({
      path,
      source: join(SOURCES, path),
      mode: 0o644,
    })),
    { path: "ice-peer.mjs", source: bundle, mode: 0o644 },
    { path: "node", source: nodeBinary(hostArch()), mode: 0o755 },
  ];
  await buildImage(engine, { tag: IMAGE, context, labels: {}, buildArgs: { BASE_IMAGE: base } }, () => undefined);
});
afterAll(async () => {
  const { docker } = await connectEngine();
  await Promise.all([out.remove(), docker.getImage(IMAGE).remove()]);
});

/** Two homes with equal addresses, as in nat-nat, with host programs in them. */
function topology(aioiceRole: "controlling" | "controlled"): string {
  const ourRole = aioiceRole === "controlling" ? "controlled" : "controlling";
  const environment = (role: string) =>
    `{ PEER_ROLE: ${role}, STUN_SERVER: "198.18.0.2:3478", RENDEZVOUS: "198.18.0.99:9000" }`;
  return `
name: foreign-ice
summary: aioice as the ${aioiceRole} side
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  home-lan: { ipv4: 192.168.1.0/24 }
  cafe-lan: { ipv4: 192.168.1.0/24 }
nodes:
  ha-a: { role: home-agent, on: internet, addresses: { internet: { ipv4: 198.18.0.2 } }, homePrefix: 2001:db8:a::/64 }
  nat-a: { role: router, wan: internet, lan: home-lan, nat: port-restricted-cone }
  nat-b: { role: router, wan: internet, lan: cafe-lan, nat: port-restricted-cone }
  meeting: { role: host, on: internet, addresses: { internet: { ipv4: 198.18.0.99 } }, image: "${IMAGE}", command: [python3, /peer/rendezvous.py] }
  ours:
    { role: host, on: home-lan, image: "${IMAGE}", command: [node, /peer/ice-peer.mjs], environment: ${environment(ourRole)} }
  aioice:
    { role: host, on: cafe-lan, image: "${IMAGE}", command: [python3, /peer/aioice_peer.py], environment: ${environment(aioiceRole)} }
`;
}

describe.each(["controlling", "controlled"] as const)("aioice as the %s side", (aioiceRole) => {
  test("selects the direct path through both port-restricted middleboxes, and data crosses", async () => {
    const file = join(out.path, "foreign-ice.yaml");
    await writeFile(file, topology(aioiceRole));

    const run = await runCli([file, "--out", out.path, "--runtime", "docker"]);

    expect(run.stderr).toBe("");
    const { runId } = await latestResult(out.path);
    const said = async (node: string): Promise<unknown> =>
      JSON.parse(await readFile(join(out.path, runId, `logs/${node}.log`), "utf8"));
    expect(await said("ours")).toEqual({
      remote: [EXTERNAL_B, expect.any(Number)],
      received: "data from aioice",
      controlling: aioiceRole === "controlled",
    });
    expect(await said("aioice")).toEqual({
      remote: [EXTERNAL_A, expect.any(Number)],
      received: "data from the testbed",
      controlling: aioiceRole === "controlling",
      connectMs: expect.any(Number) as number,
    });
    expect(run.exitCode).toBe(0);
  });
});
