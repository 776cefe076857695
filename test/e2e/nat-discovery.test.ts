/** All nine NATs checked independently: coturn's behaviour discovery (RFC 5780) behind each, on Docker. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { DEPENDENCE, homesTopology } from "../support/middlebox-lab.ts";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("engine");

type Dependence = (typeof DEPENDENCE)[number];

const MIDDLEBOXES = DEPENDENCE.flatMap((mapping, i) =>
  DEPENDENCE.map((filtering, j) => ({ name: `${i}-${j}`, mapping, filtering, hairpinning: (i + j) % 2 === 0 })),
);

/** coturn's terms. */
const WORDS: Readonly<Record<Dependence, string>> = {
  "endpoint-independent": "Endpoint Independent",
  "address-dependent": "Address Dependent",
  "address-and-port-dependent": "Address and Port Dependent",
};

/** Outside addresses of the mapping test's socket, by the server address that answered. */
function mappedByOrigin(log: string): ReadonlyMap<string, string> {
  const [, mapping = ""] = /-= Mapping Behavior Discovery =-([\s\S]*?)-= Filtering/.exec(log) ?? [];
  return new Map(
    [...mapping.matchAll(/Response origin: : (\S+)\n[\s\S]*?UDP reflexive addr: (\S+)/g)].map(([, origin, mapped]) => [
      origin ?? "",
      mapped ?? "",
    ]),
  );
}

/**
 * coturn's third request goes to the OTHER-ADDRESS of its second answer, which is the first address with the other
 * port: it compares two addresses of the server where RFC 5780 section 4.3 compares two ports of one, and so reports an
 * address-dependent mapping as address-and-port-dependent. The answers it received are correct, and show the mapping.
 */
function mappingOf(log: string): Dependence | undefined {
  const mapped = mappedByOrigin(log);
  const [first, otherPort, otherAddress] = ["198.18.0.2:3478", "198.18.0.2:3479", "198.18.0.254:3478"].map((origin) =>
    mapped.get(origin),
  );
  if (first === undefined || otherAddress === undefined) return undefined;
  if (otherAddress === first) return "endpoint-independent";
  return otherPort === first ? "address-dependent" : "address-and-port-dependent";
}

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

test("coturn's turnutils_natdiscovery finds the same classes as are declared, for all nine", async () => {
  const image = await ensureImage(await connectEngine(), "tools", () => undefined);
  const command = 'turnutils_natdiscovery -m -f -H "$MICE_NODE_STUN_IPV4"';
  const homes = MIDDLEBOXES.map(({ name, mapping, filtering, hairpinning }) => ({
    name,
    middlebox: `nat: { mapping: ${mapping}, filtering: ${filtering}, hairpinning: ${hairpinning}, portAssignment: random }`,
  }));
  const text = homesTopology(homes).replaceAll("image: x", `image: "${image}", command: '${command}'`);
  await writeFile(join(directory.path, "discovery.yaml"), text);
  const options = ["--runtime", "docker", "--no-capture", "--out", "results"];
  const run = await runCli(["discovery.yaml", ...options], { cwd: directory.path });
  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });

  for (const { name, mapping, filtering, hairpinning } of MIDDLEBOXES) {
    const log = await readFile(join(directory.path, `results/latest/logs/host0-${name}.log`), "utf8");
    const found = { mapping: mappingOf(log), hairpinning: log.includes("Received a request"), log };
    expect(found).toMatchObject({ mapping, hairpinning });
    expect(log).toContain(`NAT with ${WORDS[filtering]} Filtering!`);
    const called = mapping === "address-dependent" ? "address-and-port-dependent" : mapping;
    expect(log).toContain(`NAT with ${WORDS[called]} Mapping!`);
  }
  // Our probes have verified the same.
  const { routers, verdict } = await latestResult(join(directory.path, "results"));
  expect(verdict).toBe("pass");
  expect(routers.map(({ name, agrees }) => [name, agrees])).toEqual(
    MIDDLEBOXES.map(({ name }) => [`box-${name}`, true]),
  );
});
