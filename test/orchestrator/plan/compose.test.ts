import { decodeSetup, SETUP_VARIABLE } from "@testbed/agent/control";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { buildPlan } from "../../../orchestrator/plan/build-plan.ts";
import { renderCompose } from "../../../orchestrator/plan/compose.ts";
import { HOME_AGENTS, resolved, topologyText, twoHomes } from "../topology/sample.ts";

interface ComposeService {
  readonly image: string;
  readonly depends_on?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly ipv4_address: string; readonly ipv6_address: string }>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly network_mode?: string;
  readonly command?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, unknown>>;
}

function composeOf(text: string): ComposeFile {
  const plan = buildPlan(resolved(text), { capture: false, autostart: true });
  return parse(renderCompose(plan, { image: "node:test", header: ["by hand"] })) as ComposeFile;
}

test("each service finds its interfaces by the throwaway addresses that its networks give it", () => {
  const { services } = composeOf(twoHomes("nat: symmetric", "nat: symmetric"));
  expect(Object.keys(services)).toEqual(["ha-a", "ha-b", "nat-a", "nat-b", "mn", "cn"]);
  for (const { networks = {}, environment } of Object.values(services)) {
    const setup = decodeSetup(environment[SETUP_VARIABLE] ?? "");
    if (!setup.ok) throw new Error(JSON.stringify(setup.error));
    const found = setup.value.interfaces.map(({ segment, find }) => [
      segment,
      find.by === "address" ? find.address : "",
    ]);
    expect(found).toEqual(Object.entries(networks).map(([name, { ipv4_address }]) => [name, ipv4_address]));
  }
});

test("no two services share a throwaway address, and none takes the engine's own", () => {
  const { services } = composeOf(twoHomes("nat: symmetric", "nat: symmetric"));
  const addresses = Object.values(services).flatMap(({ networks = {} }) =>
    Object.values(networks).flatMap(({ ipv4_address, ipv6_address }) => [ipv4_address, ipv6_address]),
  );
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(addresses.filter((address) => /[.:]1$/.test(address))).toEqual([]);
});

test("middleboxes and home agents start first, who offers starts last", () => {
  const { services } = composeOf(twoHomes("nat: symmetric", "nat: symmetric"));
  expect(services["nat-a"]?.depends_on).toBeUndefined();
  expect(services["cn"]?.depends_on).toEqual(["ha-a", "ha-b", "nat-a", "nat-b"]);
  expect(services["mn"]?.depends_on).toEqual(["ha-a", "ha-b", "nat-a", "nat-b", "cn"]);
});

test("a foreign image joins its holder's network, and dollar signs survive Compose", () => {
  const nodes = `${HOME_AGENTS}, probe: { role: host, on: internet, image: "busybox:1", command: "echo $HOME" }`;
  const program = composeOf(topologyText({ nodes })).services["probe.program"];
  expect(program).toMatchObject({
    image: "busybox:1",
    network_mode: "service:probe",
    command: ["/bin/sh", "-c", "echo $$HOME"],
  });
});
