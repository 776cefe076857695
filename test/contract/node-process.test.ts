/** The real bundle as a process in network namespaces: its effects on the kernel, its reports, and its end. */

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type NodeSetup, SETUP_VARIABLE } from "../../agent/src/control/index.ts";
import { needs } from "../support/needs.ts";
import type { AgentProcess } from "./node-process/agent-process.ts";
import { hasRightChecksum, interfaceOf, parsePcap } from "./node-process/pcap.ts";
import { homeAgentRole, mobileNodeRole, setupOf } from "./node-process/setups.ts";
import { buildBundleUnderTest, createWorld, type World } from "./node-process/world.ts";

const { describe, test } = await needs("netns");

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;
let world: World;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  world = await createWorld(bundle.entry);
});
afterEach(() => world.end());

const oneInterface = [{ interfaceName: "eth0", bridge: "segment" }] as const;

/** A node on the common segment, ready. */
async function startNode(
  number: number,
  change: Partial<NodeSetup> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<AgentProcess> {
  await world.addNode(`n${number}`, oneInterface);
  const agent = world.startAgent(`n${number}`, { setup: setupOf(number, change), environment });
  await agent.report("ready");
  return agent;
}

async function millisecondsUntil(settled: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await settled;
  return performance.now() - startedAt;
}

describe("a node's place in the topology", () => {
  test("an interface is found by its throwaway address and becomes the segment's", async () => {
    await world.addNode("n1", [
      { interfaceName: "eth0", bridge: "wire1" },
      { interfaceName: "eth1", bridge: "segment" },
    ]);
    await world.shIn(
      "n1",
      `ip addr add 10.200.0.2/28 dev eth0; ip addr add 10.200.1.2/28 dev eth1; ip addr add fd00:9::2/64 dev eth1 nodad
       ip link set eth0 up; ip link set eth1 up; ip route add default via 10.200.0.1; ip -6 route add default via fd00:9::1`,
    );
    const iface = (segment: string, address: string, mac: string, addresses: readonly string[]) =>
      ({ segment, interfaceName: segment, find: { by: "address", address }, mac, addresses }) as const;
    const agent = world.startAgent("n1", {
      setup: setupOf(1, {
        interfaces: [
          iface("net", "10.200.1.2", "02:00:00:00:00:01", ["198.18.0.1/24", "2001:db8::1/64"]),
          iface("eth1", "10.200.0.2", "02:00:00:00:00:11", ["192.168.1.1/24"]),
        ],
        routes: [{ to: "0.0.0.0/0", via: "198.18.0.254", interfaceName: "net" }],
        hosts: [{ address: "2001:db8:a::2", name: "mn" }],
      }),
      resolverFile: "nameserver 127.0.0.11\n",
    });
    await agent.report("ready");

    const found = JSON.parse(await world.shIn("n1", "ip -j addr show scope global; true")) as Interface[];
    expect(found.flatMap(describeInterface)).toEqual([
      "eth1 02:00:00:00:00:11 192.168.1.1/24",
      "net 02:00:00:00:00:01 198.18.0.1/24 2001:db8::1/64",
    ]);
    expect(await world.shIn("n1", "ip route")).toBe(
      "default via 198.18.0.254 dev net \n" +
        "192.168.1.0/24 dev eth1 proto kernel scope link src 192.168.1.1 \n" +
        "198.18.0.0/24 dev net proto kernel scope link src 198.18.0.1 \n",
    );
    expect(await world.sh("cat /run/files/n1.hosts")).toContain("2001:db8:a::2\tmn\n");
    expect(await world.sh("cat /run/files/n1.resolv")).not.toContain("nameserver");
    expect(await world.shIn("n1", "nft list table inet mice_isolation")).toContain("ip daddr 127.0.0.11 drop");
  });

  test("an interface whose other end is not up yet is found as well", async () => {
    await world.addNode("n1", [{ interfaceName: "eth0", bridge: "segment" }]);
    await world.shIn("n1", "ip addr add 10.200.0.2/28 dev eth0");
    const [iface] = setupOf(1).interfaces;
    if (iface === undefined) throw new Error("a node has a segment");
    const agent = world.startAgent("n1", {
      setup: setupOf(1, { interfaces: [{ ...iface, find: { by: "address", address: "10.200.0.2" } }] }),
    });
    await agent.report("ready");
  });

  test("the first IPv6 packet waits for no duplicate address detection", async () => {
    const [first] = await Promise.all([startNode(1), startNode(2)]);
    first.send({ type: "ping", id: 1, to: "2001:db8::2", count: 1, intervalMs: 10, timeoutMs: 900 });
    const { result } = await first.report("reply");
    expect(result.received).toBe(1);
    // Duplicate address detection takes at least a second.
    expect(result.rttMs[0]).toBeLessThan(200);
    expect(await world.shIn("n1", "ip -6 addr show tentative")).toBe("");
  });

  test("a mobile node sends home traffic into the tunnel and what leaves from a care-of address on its segment", async () => {
    const routes = [{ to: "::/0", via: "2001:db8::9", interfaceName: "net" }];
    await startNode(1, { role: mobileNodeRole("a", 1, 3), startsOn: "command", routes });
    const outside = "2001:db8:99::1";
    expect(await world.shIn("n1", `ip route get ${outside}`)).toContain("dev tun0 src 2001:db8:a::2");
    expect(await world.shIn("n1", `ip route get ${outside} from 2001:db8::1`)).toContain("via 2001:db8::9 dev net");
    expect(await world.shIn("n1", "ip route get 2001:db8::7 from 2001:db8::1")).toMatch(/^2001:db8::7 .*dev net/);
  });

  test("what many programs send home at once waits for the agent", async () => {
    // The packets are not read: a mobile node reads its TUN device only once it has started.
    const agent = await startNode(1, { role: mobileNodeRole("a", 1, 3), startsOn: "command" });
    agent.send({ type: "echo", id: 1, to: "2001:db8:b::2", count: 1000, intervalMs: 1, sizeBytes: 200, timeoutMs: 1 });
    await agent.report("reply");
    const [device] = JSON.parse(await world.shIn("n1", "ip -j -s link show tun0")) as DeviceStatistics[];
    expect(device?.stats64.tx.dropped).toBe(0);
  });

  test("a node that started by hand takes its set-up from the environment and outlives its stdin", async () => {
    await world.addNode("n1", oneInterface);
    const agent = world.startAgent("n1", { environment: { [SETUP_VARIABLE]: JSON.stringify(setupOf(1)) } });
    agent.closeInput();
    await agent.report("ready");
    expect(await world.shIn("n1", "ip -o addr show net")).toContain("198.18.0.1/24");
  });
});

describe("rules", () => {
  const nft = "table ip mice {\n\tchain post {\n\t\ttype nat hook postrouting priority 95; policy accept;\n\t}\n}\n";
  const filter = "*filter\n:FORWARD DROP [0:0]\n-A INPUT -i net -m conntrack --ctstate NEW -j DROP\nCOMMIT\n";

  test("are loaded as they are, beside what was there", async () => {
    await world.addNode("n1", oneInterface);
    await world.shIn("n1", "iptables -t nat -N DOCKER_OUTPUT; iptables -A OUTPUT -d 127.0.0.11 -j ACCEPT");
    const rules = [
      { tool: "iptables", text: filter },
      { tool: "nft", text: nft },
      { tool: "ip6tables", text: filter },
    ] as const;
    const agent = world.startAgent("n1", { setup: setupOf(1, { role: { type: "router" }, rules }) });
    await agent.report("ready");
    expect(await world.shIn("n1", "nft list table ip mice")).toBe(nft.replace("priority 95", "priority srcnat - 5"));
    const ipv4 = await world.shIn("n1", "iptables-save");
    expect(ipv4).toContain("-A INPUT -i net -m conntrack --ctstate NEW -j DROP");
    expect(ipv4).toContain(":FORWARD DROP");
    expect(ipv4).toContain(":DOCKER_OUTPUT");
    expect(ipv4).toContain("-A OUTPUT -d 127.0.0.11/32 -j ACCEPT");
    expect(await world.shIn("n1", "ip6tables-save")).toContain("-A INPUT -i net -m conntrack --ctstate NEW -j DROP");
  });

  test.each([
    {
      tool: "iptables",
      text: "*filter\n-A FORWARD -j ACCEPT\n-A FORWARD --bogus\nCOMMIT\n",
      line: "line 3: -A FORWARD --bogus",
    },
    { tool: "ip6tables", text: "*filter\n-A NOWHERE -j ACCEPT\nCOMMIT\n", line: "line 2: -A NOWHERE -j ACCEPT" },
    { tool: "nft", text: "table ip mice {\n  chain c {\n    frobnicate\n  }\n}\n", line: "line 3:     frobnicate" },
  ] as const)("a text that $tool refuses ends the node with the line", async ({ tool, text, line }) => {
    await world.addNode("n1", oneInterface);
    const agent = world.startAgent("n1", { setup: setupOf(1, { rules: [{ tool, text }] }) });
    const { code, message } = await agent.report("fatal");
    expect(code).toBe("bad-rules");
    expect(message).toContain(line);
    expect(await agent.exited).toBe(70);
  });
});

describe("captures", () => {
  test("of all nodes together are the segment, without doubles and without losses", async () => {
    const [first, second] = await Promise.all([startNode(1, { capture: true }), startNode(2, { capture: true })]);
    first.send({ type: "ping", id: 1, to: "2001:db8::2", count: 20, intervalMs: 2, timeoutMs: 900 });
    expect((await first.report("reply")).result.received).toBe(20);
    for (const agent of [first, second]) agent.send({ type: "finish" });
    expect(await Promise.all([first.exited, second.exited])).toEqual([0, 0]);

    for (const agent of [first, second]) {
      const { captured, droppedByKernel } = await agent.report("capture-done");
      expect(droppedByKernel).toBe(0);
      expect(parsePcap(interfaceOf(agent.reports, "net"))).toHaveLength(captured);
    }
    const echoes = (agent: AgentProcess, icmpType: number): number =>
      echoesIn(interfaceOf(agent.reports, "net"), icmpType);
    expect([echoes(first, 128), echoes(first, 129), echoes(second, 128), echoes(second, 129)]).toEqual([20, 0, 0, 20]);
    expect(first.reports.at(-1)?.type).toBe("bye");
  });

  test("have what the node has not come to read when they end", async () => {
    const [first, second] = await Promise.all([startNode(1, { capture: true }), startNode(2)]);
    const { pid } = await first.report("hello");
    await world.sh(`kill -STOP ${pid}`);
    second.send({ type: "ping", id: 1, to: "2001:db8::1", count: 20, intervalMs: 2, timeoutMs: 900 });
    expect((await second.report("reply")).result.received).toBe(20);
    first.send({ type: "finish" });
    await sleep(100);
    first.resume();
    expect(await first.exited).toBe(0);
    second.send({ type: "finish" });
    expect(echoesIn(interfaceOf(first.reports, "net"), 129)).toBe(20);
  });

  test("hold a burst that comes while the node is not running, and say how much of a longer one was dropped", async () => {
    const first = await startNode(1, { capture: true });
    const { pid } = await first.report("hello");
    await world.addNode("n2", oneInterface);
    await world.shIn("n2", "ip addr add 198.18.0.2/24 dev eth0; ip link set eth0 up");
    const answered = 9000;
    await world.sh(`kill -STOP ${pid}`);
    // Each request arrives and each answer leaves: two frames of the ring's 8192.
    const printed = await world.shIn("n2", `ping -q -f -c ${answered} -s 8 198.18.0.1`);
    expect(printed).toContain(` ${answered} received`);
    first.resume();
    first.send({ type: "finish" });
    expect(await first.exited).toBe(0);
    const { captured, droppedByKernel } = await first.report("capture-done");
    expect(parsePcap(interfaceOf(first.reports, "net"))).toHaveLength(captured);
    expect(captured).toBeGreaterThan(4000);
    expect(captured + droppedByKernel).toBeGreaterThan(answered);
    expect(droppedByKernel).toBeGreaterThan(0);
  });

  test("show the checksums that a real segment would carry", async () => {
    const agent = await startNode(1, { capture: true });
    await world.addNode("n2", oneInterface);
    await world.shIn("n2", "ip addr add 198.18.0.2/24 dev eth0; ip link set eth0 up");
    agent.send({ type: "echo", id: 1, to: "198.18.0.2", count: 1, intervalMs: 1, sizeBytes: 100, timeoutMs: 1000 });
    await agent.report("reply");
    agent.send({ type: "finish" });
    await agent.exited;
    const datagrams = parsePcap(interfaceOf(agent.reports, "net")).filter(
      (frame) => frame.readUInt16BE(12) === 0x0800 && frame[23] === 17,
    );
    expect(datagrams.map(hasRightChecksum)).toEqual([true]);
  });

  test("that cannot start end the node", async () => {
    await world.addNode("n1", oneInterface);
    const by = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"];
    const agent = world.startAgent("n1", { setup: setupOf(1, { capture: true }), by });
    const { code, message } = await agent.report("fatal");
    expect(code).toBe("capture-failed");
    expect(message).toBe(
      "the kernel refused a capture on net, which takes the right to open packet sockets (CAP_NET_RAW) and 16 MiB of memory",
    );
  });
});

test("of the machine's devices a node uses /dev/net/tun alone, also while packets pass", async () => {
  const agent = await startNode(1, { role: homeAgentRole("a", 1) });
  const { pid } = await agent.report("hello");
  const devices = async (): Promise<readonly string[]> => {
    const files = await world.sh(`readlink /proc/${pid}/fd/* || true`);
    return files.split("\n").filter((file) => file.startsWith("/dev/") && file !== "/dev/null");
  };
  const pings = world.shIn("n1", "ping -c 20 -i 0.02 -W 1 2001:db8:a::55 || true");
  await sleep(200);
  expect(await devices()).toEqual(["/dev/net/tun"]);
  await pings;
  agent.send({ type: "finish" });
  expect(await agent.exited).toBe(0);
});

describe("the end of a node", () => {
  test.each([
    { what: "with a capture", change: { capture: true } },
    { what: "with a TUN device and sockets", change: { role: homeAgentRole("a", 1) } },
  ])("comes at once when the orchestrator is gone: $what", async ({ change }) => {
    const agent = await startNode(1, change);
    agent.closeInput();
    expect(await millisecondsUntil(agent.exited)).toBeLessThan(250);
  });

  test("comes at once when the orchestrator is gone before it said anything", async () => {
    await world.addNode("n1", oneInterface);
    const agent = world.startAgent("n1");
    await agent.report("hello");
    agent.closeInput();
    expect(await agent.exited).toBe(0);
  });

  test("comes once, however often it is asked for", async () => {
    const agent = await startNode(1, { capture: true, role: homeAgentRole("a", 1) });
    for (let i = 0; i < 3; i += 1) agent.send({ type: "finish" });
    await world.sh(`kill -TERM ${(await agent.report("hello")).pid} || true`);
    expect(await agent.exited).toBe(0);
    expect(agent.reports.filter(({ type }) => type === "bye")).toHaveLength(1);
  });

  test("does not come with the orchestrator's when the lab is kept, and is orderly on SIGTERM", async () => {
    const agent = await startNode(1, { capture: true });
    agent.send({ type: "keep" });
    agent.send({ type: "ping", id: 1, to: "198.18.0.9", count: 1, intervalMs: 10, timeoutMs: 10 });
    await agent.report("reply");
    agent.closeInput();
    await agent.report("capture-done");
    await sleep(300);
    await world.sh(`kill -TERM ${(await agent.report("hello")).pid}`);
    expect(await agent.exited).toBe(0);
    expect(agent.reports.at(-1)?.type).toBe("bye");
  });
});

describe("what stops a node", () => {
  test.each([
    { what: "a line that is no JSON", line: "setup!" },
    {
      what: "a set-up of another version",
      line: JSON.stringify({ type: "setup", setup: { ...setupOf(1), version: 9 } }),
    },
    { what: "another command first", line: '{"type":"connect","peer":"2001:db8:b::2"}' },
  ])("instead of a set-up: $what", async ({ line }) => {
    await world.addNode("n1", oneInterface);
    const agent = world.startAgent("n1");
    agent.sendText(line);
    expect((await agent.report("fatal")).code).toBe("bad-setup");
    expect(await agent.exited).toBe(70);
  });

  test("a command that its role does not have", async () => {
    const agent = await startNode(1);
    agent.send({ type: "connect", peer: "2001:db8:b::2" });
    expect(await agent.report("fatal")).toMatchObject({
      code: "bad-command",
      message: expect.stringContaining("role host") as string,
    });
  });

  test("a segment that is not there", async () => {
    await world.addNode("n1", oneInterface);
    const [iface] = setupOf(1).interfaces;
    if (iface === undefined) throw new Error("a set-up has a segment");
    const setup = setupOf(1, { interfaces: [{ ...iface, find: { by: "address", address: "10.200.0.2" } }] });
    const { code, message } = await world.startAgent("n1", { setup }).report("fatal");
    expect(code).toBe("setup-failed");
    expect(message).toContain("net (10.200.0.2)");
  });

  test("a way out of the lab", async () => {
    await world.addNode("n1", [...oneInterface, { interfaceName: "eth1", bridge: "wire1" }]);
    await world.shIn(
      "n1",
      "ip addr add 10.200.1.2/28 dev eth1; ip link set eth1 up; ip route add default via 10.200.1.1",
    );
    const { code, message } = await world.startAgent("n1", { setup: setupOf(1) }).report("fatal");
    expect(code).toBe("leak");
    expect(message.split("\n").slice(1)).toEqual([
      "interface eth1 has 10.200.1.2, which the topology does not give it",
      "route 0.0.0.0/0 dev eth1 is not in the topology",
      "route 10.200.1.0/28 dev eth1 is not in the topology",
      "route fe80::/64 dev eth1 is not in the topology",
    ]);
  });

  test("a network that is not its own", async () => {
    const agent = world.startAgentOutside(setupOf(1));
    expect((await agent.report("fatal")).code).toBe("not-isolated");
    expect(await world.sh("ip -o link show net 2>&1 || true")).toContain("does not exist");
  });

  test("files that are the machine's, though mounts and network are its own", async () => {
    const machineHosts = await readFile("/etc/hosts", "utf8");
    await world.addNode("bare", []);
    const agent = world.startAgent("bare", { setup: setupOf(1), hasOwnFiles: false });
    const { code, message } = await agent.report("fatal");
    expect({ code, message }).toEqual({
      code: "not-isolated",
      message:
        "expected files of the node's own at /etc/hosts and /etc/resolv.conf, found the machine's: " +
        "bind-mount others over them",
    });
    expect(await readFile("/etc/hosts", "utf8")).toBe(machineHosts);
  });
});

describe("home addresses", () => {
  test.each([
    { path: "many packets a system call", environment: {} },
    { path: "one packet a system call", environment: { MICE_FAST_PATH: "off" } },
  ])("talk through both home agents by UDP tunnels and TUN devices, and stop with nothing left: $path", async (way) => {
    const { environment } = way;
    const route = (home: string, agent: number) => ({
      to: `2001:db8:${home}::/64`,
      via: `2001:db8::${agent}`,
      interfaceName: "net",
    });
    const [mn, cn, ...agents] = await Promise.all([
      startNode(1, { role: mobileNodeRole("a", 1, 3), startsOn: "command", interfaces: ipv4Only(1) }, environment),
      startNode(2, { role: mobileNodeRole("b", 2, 4), startsOn: "command", interfaces: ipv4Only(2) }, environment),
      startNode(3, { role: homeAgentRole("a", 3), routes: [route("b", 4)] }, environment),
      startNode(4, { role: homeAgentRole("b", 4), routes: [route("a", 3)] }, environment),
    ]);
    for (const node of ["n3", "n4"]) await world.shIn(node, "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    for (const node of [mn, cn]) node.send({ type: "start" });
    await Promise.all([mn, cn].map((node) => registered(node)));

    const to = "2001:db8:b::2";
    mn.send({ type: "ping", id: 1, to, count: 3, intervalMs: 10, timeoutMs: 900 });
    mn.send({ type: "echo", id: 2, to, count: 50, intervalMs: 1, sizeBytes: 1200, timeoutMs: 900 });
    await expect.poll(() => replies(mn)).toHaveLength(2);
    for (const { sent, received, duplicates } of replies(mn)) expect([received, duplicates]).toEqual([sent, 0]);

    for (const node of [mn, cn, ...agents]) node.send({ type: "finish" });
    expect(await Promise.all([mn, cn, ...agents].map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
    expect((await mn.report("bye")).counters["tun.refused"]).toBe(0);
  });
});

test("a node that was stopped registers within 2 s of going on", async () => {
  const role = { ...mobileNodeRole("a", 1, 3), timers: { tunnelKeepaliveMs: 1000 } };
  const [mn] = await Promise.all([
    startNode(1, { role, startsOn: "command", interfaces: ipv4Only(1) }),
    startNode(3, { role: homeAgentRole("a", 3) }),
  ]);
  mn.send({ type: "start" });
  await registered(mn);
  const { pid } = await mn.report("hello");
  await world.sh(`kill -STOP ${pid}`);
  await sleep(6000);
  mn.resume();
  const registrations = () =>
    mn.reports.filter((report) => report.type === "event" && report.event.type === "registered");
  await expect.poll(registrations, { timeout: 2000 }).toHaveLength(2);
  mn.send({ type: "finish" });
  expect((await mn.report("bye")).counters["resumed.after-sleep"]).toBe(1);
});

test("a middlebox that reboots forgets its flows and the tables it is given, and lets packets through again", async () => {
  const table = (element: string) => `table inet memory
delete table inet memory
table inet memory {
  set known { type inet_service; ${element} }
  chain watch { type filter hook input priority 0; ct state new counter; }
}
`;
  const rules = [{ tool: "nft", text: table("elements = { 7 }") }] as const;
  const [nat] = await Promise.all([startNode(1, { role: { type: "router" }, rules }), startNode(2)]);
  const ping = "ping -c 1 -W 2 198.18.0.1 > /dev/null";
  const flows = () => world.shIn("n1", "cat /proc/sys/net/netfilter/nf_conntrack_count");
  await world.shIn("n2", ping);
  expect(Number(await flows())).toBeGreaterThan(0);

  nat.send({ type: "reboot", id: 1, rules: [{ tool: "nft", text: table("") }], downMs: 1 });
  expect((await nat.report("done")).id).toBe(1);
  expect(Number(await flows())).toBe(0);
  expect(await world.shIn("n1", "nft list tables; nft list set inet memory known")).not.toMatch(/mice_shut|elements/);
  await world.shIn("n2", ping);
});

/** The output of `ip -json -statistics link`. */
interface DeviceStatistics {
  readonly stats64: { readonly tx: { readonly dropped: number } };
}

interface Interface {
  readonly ifname?: string;
  readonly address?: string;
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

function describeInterface({ ifname, address, addr_info = [] }: Interface): readonly string[] {
  if (ifname === undefined) return [];
  return [
    [
      ifname,
      address,
      ...addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
    ].join(" "),
  ];
}

function ipv4Only(number: number): NodeSetup["interfaces"] {
  return setupOf(number).interfaces.map((iface) => ({ ...iface, addresses: iface.addresses.slice(0, 1) }));
}

async function registered(node: AgentProcess): Promise<void> {
  await expect
    .poll(() => node.reports.some((report) => report.type === "event" && report.event.type === "registered"), {
      timeout: 5000,
    })
    .toBe(true);
}

/** Number of ICMPv6 messages of a type in a pcap file. */
function echoesIn(iface: Buffer, icmpType: number): number {
  const isOne = (frame: Buffer): boolean =>
    frame.readUInt16BE(12) === 0x86dd && frame[20] === 58 && frame[54] === icmpType;
  return parsePcap(iface).filter(isOne).length;
}

function replies(node: AgentProcess) {
  return node.reports.flatMap((report) => (report.type === "reply" ? [report.result] : []));
}
