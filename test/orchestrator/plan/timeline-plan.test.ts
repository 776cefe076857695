import { expect, test } from "vitest";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import { rulesOf } from "../../../orchestrator/plan/timeline-plan.ts";
import { resolved, twoHomes } from "../topology/sample.ts";

const HOMES = twoHomes("nat: { preset: port-restricted-cone, portAssignment: random }", "nat: symmetric").trimEnd();

function planOf(rest: string) {
  return buildPlan(resolved(`${HOMES}\n${rest}\n`), { capture: false });
}

test("a reboot replaces the middlebox's table by the same one with other ports, and no policy", () => {
  const { timeline, nodes } = planOf("timeline: [{ at: 2s, reboot: nat-a, down: 500ms }]");
  const before = nodes.find(({ name }) => name === "nat-a")?.setup.rules.find(({ tool }) => tool === "nft")?.text ?? "";
  const [step] = timeline;
  expect(step).toMatchObject({
    name: "reboot",
    when: { plusMs: 2000 },
    text: "nat-a reboots: it forgets its mappings and flows, and lets nothing through for 500ms",
    deeds: [{ node: "nat-a", command: { type: "reboot", downMs: 500, rules: [{ tool: "nft" }] } }],
  });
  const after = (step?.deeds ?? []).flatMap(({ command }) => rulesOf(command))[0]?.text ?? "";
  expect(after).not.toBe(before);
  const withoutNumbers = (text: string) => text.replaceAll(/0x[0-9a-f]+|\d+/g, "n").replaceAll(/\s+/g, " ");
  expect(withoutNumbers(after)).toBe(withoutNumbers(before));
});

test("a node that is told how often to ask for consent has timers of that scale", () => {
  const text = HOMES.replace("role: mobile-node,", "role: mobile-node, consent: 500ms,");
  const roles = buildPlan(resolved(text), { capture: false }).nodes.map(({ setup }) => setup.role);
  expect(roles.flatMap((role) => ("timers" in role ? [role.timers] : []))).toEqual([
    { consentIntervalMs: 500, consentRetryMs: 50, consentTimeoutMs: 1000 },
    {},
  ]);
});

test("a node that is told how often to keep its tunnel's mapping has that timer", () => {
  const text = HOMES.replace("role: mobile-node,", "role: mobile-node, keepalive: 1.5s,");
  const roles = buildPlan(resolved(text), { capture: false }).nodes.map(({ setup }) => setup.role);
  expect(roles.flatMap((role) => ("timers" in role ? [role.timers] : []))).toEqual([{ tunnelKeepaliveMs: 1500 }, {}]);
});

test("a node that moves has the interfaces of all its places from the start, and is told where it is then", () => {
  const { nodes, timeline } = planOf(
    "timeline: [{ at: 1s, move: mn, to: home-b, name: out }, { at: 2s, move: mn, to: home-a, name: back }]",
  );
  const mn = nodes.find(({ name }) => name === "mn");
  expect(mn?.segments).toEqual(["home-a", "home-b"]);
  expect(mn?.setup.interfaces.map(({ segment, isStandby = false }) => [segment, isStandby])).toEqual([
    ["home-a", false],
    ["home-b", true],
  ]);
  expect(mn?.setup.role).toMatchObject({ localAddresses: ["192.168.1.2"] });
  expect(timeline.flatMap(({ text, deeds }) => deeds.map(({ command }) => [text, command]))).toEqual([
    [
      "mn moves to home-b",
      {
        type: "move",
        to: [{ segment: "home-b", addresses: ["192.168.1.3/24"] }],
        routes: [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-b" }],
        localAddresses: ["192.168.1.3"],
      },
    ],
    [
      "mn moves to home-a",
      {
        type: "move",
        to: [{ segment: "home-a", addresses: ["192.168.1.2/24"] }],
        routes: [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-a" }],
        localAddresses: ["192.168.1.2"],
      },
    ],
  ]);
});

test("a NAT that changes for TCP alone has new rules for TCP, and answers a SYN as it says then", () => {
  const step = (tcp: string) => {
    const nat = `{ preset: port-restricted-cone, tcp: { ${tcp} } }`;
    const { timeline } = planOf(`timeline: [{ at: 1s, change: nat-a, nat: ${nat} }]`);
    const [first] = timeline;
    const [command] = (first?.deeds ?? []).map((deed) => deed.command);
    if (first === undefined || command?.type !== "change-rules") throw new Error("no rules change");
    const textOf = (tool: string) => command.rules.find((rule) => rule.tool === tool)?.text;
    return { nft: textOf("nft"), iptables: textOf("iptables"), told: first.text };
  };
  const before = step("unsolicitedSyn: drop");
  const after = step("mapping: address-and-port-dependent, unsolicitedSyn: reset");
  expect(before.nft).toContain("table ip mice_nat_tcp {");
  const tableOf = (nft: string | undefined, name: string) =>
    new RegExp(`table ip ${name} \\{[^]*?\\n\\}`).exec(nft ?? "")?.[0];
  expect(tableOf(after.nft, "mice_nat")).toBe(tableOf(before.nft, "mice_nat"));
  expect(tableOf(before.nft, "mice_nat_tcp")).toContain("type ipv4_addr . inet_service : inet_service");
  expect(tableOf(after.nft, "mice_nat_tcp")).toContain(
    "type ipv4_addr . inet_service . ipv4_addr . inet_service : inet_service",
  );
  expect(before.iptables).not.toContain("--reject-with tcp-reset");
  expect(after.iptables).toContain("-p tcp -m tcp --syn -j REJECT --reject-with tcp-reset");
  expect(after.told).toContain("TCP APDM/APDF, unsolicited SYN: reset");
});

test("a link that changes is its node's to change, told in words that say whether it breaks", () => {
  const { timeline } = planOf(
    "timeline: [{ at: 1s, link: nat-a/internet, conditions: { loss: 100% }, name: breaks }, { at: 2s, link: nat-a/internet, conditions: { out: { delay: 20ms } }, name: heals }]",
  );
  expect(timeline.flatMap(({ text, deeds }) => deeds.map(({ node, command }) => [node, text, command]))).toEqual([
    [
      "nat-a",
      "the link nat-a/internet breaks",
      { type: "impair-link", segment: "internet", out: { lossRate: 1 }, in: { lossRate: 1 } },
    ],
    [
      "nat-a",
      "the link nat-a/internet becomes out: 20 ms, in: as it is",
      { type: "impair-link", segment: "internet", out: { delayMs: 20 }, in: {} },
    ],
  ]);
});

test("a node that moves back to where it got another address has its first one again, and is told so", () => {
  const { timeline } = planOf(
    "timeline: [{ at: 1s, readdress: mn }, { at: 2s, move: mn, to: home-b, name: out }, { at: 3s, move: mn, to: home-a, name: back }]",
  );
  const addresses = timeline
    .flatMap(({ deeds }) => deeds)
    .map(({ command }) => ("localAddresses" in command ? command.localAddresses : undefined));
  expect(addresses).toEqual([["192.168.1.3"], ["192.168.1.3"], ["192.168.1.2"]]);
});

test("a node that makes before it breaks stays on its segment and keeps its address there; several may move at once", () => {
  const { timeline } = planOf(
    "timeline: [{ at: 1s, move: mn, to: [home-b, home-a], name: makes }, { at: 2s, move: [mn, cn], to: internet, name: out }]",
  );
  const [makes, out] = timeline;
  expect(makes?.deeds[0]?.command).toMatchObject({
    to: [
      { segment: "home-b", addresses: ["192.168.1.3/24"] },
      { segment: "home-a", addresses: ["192.168.1.2/24"] },
    ],
    localAddresses: ["192.168.1.3", "192.168.1.2"],
  });
  expect(out?.text).toBe("mn moves to internet; cn moves to internet");
  expect(out?.deeds.map(({ node, command }) => [node, "to" in command && command.to[0]?.segment])).toEqual([
    ["mn", "internet"],
    ["cn", "internet"],
  ]);
});
