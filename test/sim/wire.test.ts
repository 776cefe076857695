import { expect, test } from "vitest";
import { formatSocketAddress } from "../../agent/src/core/address.ts";
import type { TraceEntry } from "../../agent/src/testing/index.ts";
import { CONNECT_AT, connectNatNat, mobilityTypeOf } from "./scenario.ts";

const NAMES: Readonly<Record<number, string>> = {
  1: "HoTI",
  3: "HoT",
  5: "BU",
  6: "BA",
  22: "CoTI-ICE",
  23: "CoT-ICE",
};

function hop({ atMs, segment, packet }: TraceEntry): string {
  if (packet.kind !== "udp") throw new Error("mobility messages of nodes travel in UDP");
  const name = NAMES[mobilityTypeOf(packet) ?? -1] ?? "?";
  const ends = `${formatSocketAddress(packet.source)} > ${formatSocketAddress(packet.destination)}`;
  return `${atMs} ${segment} ${name} ${ends}`;
}

/** Mobility messages after the registration, as sent. */
function messagesOf(sender: "mn" | "cn"): readonly TraceEntry[] {
  const mice = connectNatNat();
  mice.net.time.runUntil(CONNECT_AT + 2000);
  return mice.net.trace.filter(
    (entry) => entry.from === sender && entry.atMs >= CONNECT_AT && mobilityTypeOf(entry.packet) !== undefined,
  );
}

test("the messages of a session leave in this order, and the last two straight to the peer's middlebox", () => {
  expect(
    [...messagesOf("mn"), ...messagesOf("cn")].toSorted((a, b) => a.atMs - b.atMs).map(hop),
  ).toMatchInlineSnapshot(`
    [
      "1020 home HoTI 192.168.1.2:40001 > 198.18.0.2:4191",
      "1020 home CoTI-ICE 192.168.1.2:40001 > 198.18.0.2:4191",
      "1040 cafe HoT 192.168.1.2:40001 > 198.18.0.3:4191",
      "1060 cafe CoT-ICE 192.168.1.2:40001 > 198.18.0.3:4191",
      "1280 home BU 192.168.1.2:40001 > 198.18.0.20:40001",
      "1300 cafe BA 192.168.1.2:40001 > 198.18.0.10:40001",
    ]
  `);
});

test("the octets of every mobility message, inner IPv6 packet included, follow from the seed", () => {
  const octets = [...messagesOf("mn"), ...messagesOf("cn")].map(({ packet }) => [
    NAMES[mobilityTypeOf(packet) ?? -1],
    Buffer.from(packet.payload).toString("hex"),
  ]);
  expect(Object.fromEntries(octets)).toMatchInlineSnapshot(`
    {
      "BA": "600000000050874020010db8000b0000000000000000020020010db8000a000000000000000001003b090600ac39000000010069123200012e0a0000da2fc572f049c6ae857a201f0693b4dc2fc6e000400182011100000064ffffffc61200149c419c41c0a801020100050c41523019a505ce8504b7c33a",
      "BU": "600000000088874020010db8000a0000000000000000010020010db8000b000000000000000002003b1005008de40001800000690100031000000000000000000000ffffc612000a04045c925c920100124a0002ff9a00005c2a3ef455812ce21fbecdabd28c375c088b9600400182011100000064ffffffc612000a9c419c41c0a8010240018f011100000000000000c61200149c41000000000000010400000000050cc0849c5752755888f677c552",
      "CoT-ICE": "600000000098874020010db8000b0000000000000000020020010db8000a000000000000000001003b121700c2435c92a7bbff5fba5248f53966d6e4533a2086127a0003da5f0000da2fc572f049c6ae857a201f0693b4dc2fc6e00040018101110000007effffffc0a801029c41000000000000400182011100000064ffffffc61200149c419c41c0a80102600304011100000000ffffff20010db8000b000000000000000002009c419c4100000000000000000000ffffc612001401020000",
      "CoTI-ICE": "600000000090874020010db8000a0000000000000000010020010db8000b000000000000000002003b111600a3ea0000a7bbff5fba5248f5127a0003ef7f00005c2a3ef455812ce21fbecdabd28c375c088b960040018101110000007effffffc0a801029c41000000000000400182011100000064ffffffc612000a9c419c41c0a80102600304011100000000ffffff20010db8000a000000000000000001009c419c4100000000000000000000ffffc612000a01020000",
      "HoT": "600000000018874020010db8000b0000000000000000020020010db8000a000000000000000001003b0203009fcd5c9299f850cb36596c2a8ca68cbe636e5c5c",
      "HoTI": "600000000010874020010db8000a0000000000000000010020010db8000b000000000000000002003b010100d798000099f850cb36596c2a",
    }
  `);
});
