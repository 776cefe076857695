import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GenericContainer, type StartedTestContainer } from "testcontainers";
import { afterAll, beforeAll, expect } from "vitest";
import { encodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { NO_FLAGS } from "../../agent/src/core/mip6/messages.ts";
import {
  encodeMobilityPacket,
  type MobilityEndpoints,
  withChecksum,
} from "../../agent/src/core/mip6/mobility-header.ts";
import { encodeAuthorized } from "../../agent/src/core/mip6/return-routability.ts";
import { encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { needs } from "../support/needs.ts";
import { pcapOf } from "../support/pcap.ts";
import { fromHex } from "../vectors/hex.ts";
import {
  CARE_OF_TEST_ICE,
  CARE_OF_TEST_INIT_ICE,
  HOME_ADDRESS_L,
  HOME_ADDRESS_R,
  ICE_BINDING_ACKNOWLEDGEMENT,
  ICE_BINDING_UPDATE,
  L_TO_R,
  R_TO_L,
  RETURN_ROUTABILITY,
  UPDATED_OFFER_OPTION,
} from "../vectors/mobility.ts";

const { describe, test } = await needs("engine");

const SCRIPT = join(import.meta.dirname, "../../images/tools/mice.lua");
const MN = { ip: "198.18.0.10", port: 61001 };
const TUNNEL = { ip: "198.18.0.1", port: 4191 };
const CN = { ip: "198.18.0.20", port: 62002 };

/** STUN Binding request with FINGERPRINT. */
const CHECK = fromHex("000100082112a442000102030405060708090a0b802800045b0ff6fc");

let tools: StartedTestContainer;

beforeAll(async () => {
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const image = await ensureImage(await connectEngine(), "tools", () => undefined);
  tools = await new GenericContainer(image)
    .withCommand(["sleep", "300"])
    .withAutoRemove(true)
    .withCopyContentToContainer([{ content: await readFile(SCRIPT), target: "/mice.lua" }])
    .start();
});

afterAll(async () => {
  await tools.stop();
});

describe("tshark with images/tools/mice.lua", () => {
  test("names every message of the flow, in the tunnel and on the nominated pair", async () => {
    const lines = await tshark(
      [
        inTunnel(encodeMobilityPacket(CARE_OF_TEST_INIT_ICE, L_TO_R)),
        inTunnel(encodeMobilityPacket(CARE_OF_TEST_ICE, R_TO_L)),
        inTunnel(relayedCheck()),
        { source: MN, destination: CN, payload: CHECK },
        { source: MN, destination: CN, payload: encodeMobilityPacket(updatedOffer(), L_TO_R) },
        { source: MN, destination: CN, payload: encodeMobilityPacket(ICE_BINDING_UPDATE, L_TO_R) },
        { source: CN, destination: MN, payload: encodeMobilityPacket(ICE_BINDING_ACKNOWLEDGEMENT, R_TO_L) },
      ],
      fields("_ws.col.Protocol", "_ws.col.Info", "mice.checksum.status"),
    );
    expect(lines).toEqual([
      "M-ICE|CoTI-ICE (offer), 3 candidates|1,1",
      "M-ICE|CoT-ICE (answer), 3 candidates|1,1",
      "STUN|Binding Request|",
      "STUN|Binding Request|",
      "M-ICE|Binding Update with MIP-ICE, 2 candidates|1,1",
      "MIPv6|Binding Update|1",
      "MIPv6|Binding Acknowledgement|1",
    ]);
  });

  test("shows cookie, token, credentials as STUN has them, and candidates", async () => {
    const lines = await tshark(
      [inTunnel(encodeMobilityPacket(CARE_OF_TEST_ICE, R_TO_L))],
      fields(
        "mice.care_of_init_cookie",
        "mice.care_of_keygen_token",
        "mice.care_of_nonce_index",
        "mice.option.ufrag",
        "mice.option.pwd",
        "mice.option.type",
        "mice.option.address",
        "mice.option.address6",
        "mice.option.port",
        "mice.option.priority",
      ),
    );
    expect(lines).toEqual([
      [
        "c0c1c2c3c4c5c6c7",
        "6edd530aaadfdc0a",
        "1",
        "DQ4P",
        "QEFCQ0RFRkdISUpLTE1OTw",
        "1,2,4",
        "192.168.2.7,203.0.113.20",
        HOME_ADDRESS_R,
        "40002,62002,40002",
        "2130706431,1694498815,16777215",
      ].join("|"),
    ]);
  });

  test.each([
    { name: "a wrong Mobility Header checksum", header: flipped(CARE_OF_TEST_INIT_ICE, 4), statuses: "0,1" },
    { name: "a wrong option checksum", header: repaired(flipped(CARE_OF_TEST_INIT_ICE, 20)), statuses: "1,0" },
  ])("tells $name", async ({ header, statuses }) => {
    const lines = await tshark(
      [inTunnel(encodeMobilityPacket(header, L_TO_R))],
      fields("mice.checksum.status", "_ws.expert.message"),
    );
    expect(lines).toEqual([`${statuses}|Wrong checksum`]);
  });

  test("tells an option that breaks the profile", async () => {
    const header = repaired(flipped(CARE_OF_TEST_INIT_ICE, 19));
    const lines = await tshark(
      [inTunnel(encodeMobilityPacket(header, L_TO_R))],
      fields("mice.malformed", "_ws.expert.message"),
    );
    expect(lines).toEqual(["1|Wrong checksum,Breaks the MICE-1 profile"]);
  });

  test("takes other numbers from its preferences", async () => {
    const header = repaired(CARE_OF_TEST_INIT_ICE.map((octet, i) => (i === 2 ? 11 : octet)));
    const numbers = ["-o", "mice.coti_ice:11"];
    const lines = await tshark(
      [inTunnel(encodeMobilityPacket(header, L_TO_R))],
      [...numbers, ...fields("_ws.col.Info")],
    );
    expect(lines).toEqual(["CoTI-ICE (offer), 3 candidates"]);
  });

  test("leaves UDP that merely begins with a 6 alone", async () => {
    const cut = encodeMobilityPacket(CARE_OF_TEST_INIT_ICE, L_TO_R).subarray(0, 100);
    const lines = await tshark([inTunnel(cut), inTunnel(fromHex("60"))], fields("_ws.col.Protocol", "mice_tunnel"));
    expect(lines).toEqual(["UDP|", "UDP|"]);
  });

  test("survives messages cut at any octet and with any octet damaged", async () => {
    const headers = [CARE_OF_TEST_INIT_ICE, CARE_OF_TEST_ICE, ICE_BINDING_UPDATE].flatMap((header) =>
      Array.from(header, (_, i) => [
        header.subarray(0, i),
        withLength(header.subarray(0, i)),
        flipped(header, i),
      ]).flat(),
    );
    const packets = headers.map((payload) => inTunnel(encodeIpv6Packet({ ...L_TO_R, nextHeader: 135, payload })));
    expect(await tshark(packets, ["-Y", "_ws.lua.error"])).toEqual([]);
  });
});

async function tshark(packets: Parameters<typeof pcapOf>[0], args: readonly string[]): Promise<string[]> {
  await tools.copyContentToContainer([{ content: Buffer.from(pcapOf(packets)), target: "/capture.pcap" }]);
  const command = ["tshark", "-X", "lua_script:/mice.lua", "-r", "/capture.pcap", ...args];
  const { exitCode, stdout, stderr } = await tools.exec(command);
  expect({ exitCode, stderr: stderr.replace(/^Running as user.*\n/, "") }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.split("\n").filter((line) => line !== "");
}

function fields(...names: readonly string[]): string[] {
  return ["-T", "fields", "-E", "separator=|", ...names.flatMap((name) => ["-e", name])];
}

function inTunnel(payload: Uint8Array) {
  return { source: MN, destination: TUNNEL, payload };
}

function relayedCheck(): Uint8Array {
  const source = { ip: HOME_ADDRESS_L, port: 40001 };
  return encodeUdpInIpv6({ source, destination: { ip: HOME_ADDRESS_R, port: 40002 }, payload: CHECK });
}

/** A Binding Update that carries the updated offer. */
function updatedOffer(): Uint8Array {
  const careOf = "198.51.100.10";
  return encodeAuthorized(
    {
      type: "binding-update",
      sequence: 8,
      flags: { ...NO_FLAGS, acknowledge: true },
      lifetimeSec: 420,
      options: [
        { type: "alternate-care-of-address", address: careOf },
        { type: "nonce-indices", home: 1, careOf: 1 },
        { type: "opaque", optionType: 18, data: UPDATED_OFFER_OPTION.subarray(2) },
      ],
    },
    L_TO_R,
    { key: RETURN_ROUTABILITY.iceBindingKey, careOf, correspondent: HOME_ADDRESS_R },
  );
}

function flipped(header: Uint8Array, at: number): Uint8Array {
  return header.map((octet, i) => (i === at ? octet ^ 1 : octet));
}

/** The header with a corrected checksum, as after rewriting by a NAT. */
function repaired(header: Uint8Array, endpoints: MobilityEndpoints = L_TO_R): Uint8Array {
  return withChecksum(header, endpoints);
}

/** A truncated header whose Header Len matches. */
function withLength(header: Uint8Array): Uint8Array {
  const whole = header.subarray(0, header.length - (header.length % 8));
  return whole.map((octet, i) => (i === 1 ? whole.length / 8 - 1 : octet));
}
