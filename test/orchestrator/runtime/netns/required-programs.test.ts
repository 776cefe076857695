import { describe, expect, test } from "vitest";
import {
  missingPrograms,
  packagesOf,
  REQUIRED_PROGRAMS,
  requirePrograms,
} from "../../../../orchestrator/runtime/netns/required-programs.ts";

const NOWHERE = "/nowhere";

const plain = { setup: { rules: [] } };
const nat = { setup: { rules: [{ tool: "nft", text: "table ip nat {}\n" }] } } as const;

/** The error on a machine without any program. */
async function refusal(nodes: Parameters<typeof requirePrograms>[0]): Promise<unknown> {
  return requirePrograms(nodes, NOWHERE).catch((error: unknown) => error);
}

describe("a run", () => {
  test("names each missing program, what it does, and the packages to install, each once", async () => {
    expect(await refusal([plain])).toMatchObject({
      code: "no-program",
      exitCode: 3,
      message:
        "the netns runtime needs programs that are not installed: unshare, which makes the namespaces of a lab; " +
        "nsenter, which starts programs in these namespaces; mount, which mounts the files that each node has of its " +
        "own; ip, which makes interfaces, addresses and routes",
      hint: "npm run setup -- --runtime netns, or as root: apt-get install util-linux mount iproute2",
    });
  });

  test("needs the rule loaders only where a node uses them, and tcpdump nowhere", async () => {
    expect(await refusal([plain])).toHaveProperty("message", expect.not.stringMatching(/nft|iptables|tcpdump/));
    expect(await refusal([plain, nat])).toHaveProperty("message", expect.stringMatching(/nft, which(?!.*iptables)/));
    expect(await refusal([plain, nat])).toHaveProperty("message", expect.not.stringMatching(/tcpdump/));
  });

  test("needs a daemon's program only where a node runs it", async () => {
    const daemon = { name: "unbound", command: ["unbound", "-d"], configuration: "", readyOutput: "start" };
    const resolver = { setup: { rules: [], daemons: [daemon] } };
    expect(await refusal([resolver])).toHaveProperty("message", expect.stringContaining("unbound, which is the name"));
    expect(await refusal([plain])).toHaveProperty("message", expect.not.stringMatching(/unbound/));
  });
});

test("a machine without any program misses all, and the packages of all are named once", async () => {
  const missing = await missingPrograms(REQUIRED_PROGRAMS, NOWHERE);
  expect(missing).toEqual(REQUIRED_PROGRAMS);
  expect(packagesOf(missing)).toEqual([
    "util-linux",
    "mount",
    "iproute2",
    "nftables",
    "iptables",
    "unbound",
    "miniupnpd-nftables",
    "tcpdump",
    "bind9-dnsutils",
    "miniupnpc",
    "natpmpc",
  ]);
});
