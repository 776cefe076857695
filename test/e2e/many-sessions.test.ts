/** Many concurrent sessions on the real kernel, each independent: one node with fifty, and fifty with one. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { runResultSchema } from "../../orchestrator/report/run-result.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

const MANY = 50;
const FIRST_PORT = 40_000;

/** For the run and, including its shutdown, for the test: some fifty nodes start together on a machine of any speed. */
const RUN_TIMEOUT_SEC = 240;
const TEST_TIMEOUT_MS = 300_000;

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

/**
 * The single node is in the open and the fifty are behind one NAT, so that none has to keep pace with the busiest node.
 */
test.each([
  { name: "one-with-fifty", mobiles: 1, correspondents: MANY, selected: "host, server-reflexive" },
  { name: "fifty-with-one", mobiles: MANY, correspondents: 1, selected: "server-reflexive, host" },
])(
  "$name: every session has a direct pair of its own, and nobody loses a packet",
  { timeout: TEST_TIMEOUT_MS },
  async ({ name, ...meeting }) => {
    const file = join(out.path, `${name}.yaml`);
    await writeFile(file, meetingOf(name, meeting));
    const options = ["--runtime", "netns", "--json", "--no-capture", "--timeout", String(RUN_TIMEOUT_SEC)];
    const { exitCode, stdout, stderr } = await runCli([file, ...options, "--out", join(out.path, name)]);
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);

    const { sessions, leftovers } = runResultSchema.parse(JSON.parse(stdout));
    expect(leftovers).toEqual([]);
    expect(sessions.map(({ name: session }) => session)).toEqual(namesOf(meeting));
    for (const { path, pingBeforeIce, ping, echo } of sessions)
      expect([path, pingBeforeIce?.received, ping?.received, echo?.received]).toEqual(["direct", 3, 5, 20]);
    // Behind the one NAT each has a separate outside port.
    const ways = sessions.map(({ selected }) => `${selected?.local.port} ${selected?.remote.port}`);
    expect(new Set(ways).size).toBe(MANY);
  },
);

interface Meeting {
  readonly mobiles: number;
  readonly correspondents: number;
  /** Candidate types of every pair. */
  readonly selected: string;
}

/** Mobile nodes and correspondent nodes, each in session with every other. */
function meetingOf(name: string, meeting: Meeting): string {
  const { mobiles, correspondents, selected } = meeting;
  const ends = (prefix: string, count: number, role: string, homeAgent: string): readonly string[] =>
    Array.from({ length: count }, (_, i) => {
      const on = count === 1 ? "internet" : "lan";
      return `  ${prefix}${i + 1}: { role: ${role}, on: ${on}, homeAgent: ${homeAgent}, port: ${FIRST_PORT + i} }`;
    });
  const sessions = namesOf(meeting).map((session) => session.split("-"));
  return [
    `name: ${name}`,
    `summary: ${mobiles} mobile nodes meet ${correspondents} correspondents, all at once`,
    "segments:",
    "  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }",
    "  lan: { ipv4: 192.168.1.0/24 }",
    "nodes:",
    "  ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }",
    "  ha-b: { role: home-agent, on: internet, homePrefix: 2001:db8:b::/64 }",
    "  middlebox: { role: router, wan: internet, lan: lan, nat: port-restricted-cone }",
    ...ends("mn", mobiles, "mobile-node", "ha-a"),
    ...ends("cn", correspondents, "correspondent-node", "ha-b"),
    "sessions:",
    ...sessions.map(([from, to]) => `  - { from: ${from}, to: ${to} }`),
    "expect:",
    ...sessions.map(([from, to]) => `  - { session: ${from}-${to}, path: direct, selected: [${selected}], lost: 0 }`),
    "",
  ].join("\n");
}

function namesOf({ mobiles, correspondents }: Meeting): readonly string[] {
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
  return numbers(mobiles).flatMap((mn) => numbers(correspondents).map((cn) => `mn${mn}-cn${cn}`));
}
