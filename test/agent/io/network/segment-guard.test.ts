import { expect, test } from "vitest";
import type { InterfaceSetup } from "../../../../agent/src/control/messages.ts";
import { segmentGuard } from "../../../../agent/src/io/network/segment-guard.ts";

const SHARED: InterfaceSetup = {
  segment: "lan",
  interfaceName: "lan",
  find: { by: "address", address: "10.128.0.2" },
  mac: "02:00:00:00:00:01",
  addresses: ["192.168.1.2/25"],
  neighbours: {
    macs: ["02:00:00:00:00:01", "02:4d:00:00:12:34"],
    addresses: ["192.168.1.2/25", "192.168.1.1/25", "2001:db8::abcd:7/64"],
  },
};

test("only frames for a node of the segment leave, and only frames of one come in", () => {
  expect(segmentGuard([{ iface: SHARED, underlyingName: "mice0" }]).frames).toMatchInlineSnapshot(`
    "table netdev mice_segments {
      chain out0 {
        type filter hook egress device "mice0" priority 0; policy drop;
        @ll,96,16 { 0x0800, 0x86dd } @ll,0,48 { 0x020000000001, 0x024d00001234, 0x02ffffffffff } accept
        @ll,96,16 0x0800 @ll,0,8 & 0x01 == 0x01 @ll,240,32 & 0xf0000000 == 0xe0000000 accept
        @ll,96,16 0x0800 @ll,0,8 & 0x01 == 0x01 @ll,240,32 { 0xffffffff, 0xc0a8017f } accept
        @ll,96,16 0x86dd @ll,0,8 & 0x01 == 0x01 @ll,304,128 { 0xff020000000000000000000000000016, 0xff0200000000000000000001ff000001, 0xff0200000000000000000001ff001234, 0xff0200000000000000000001ffcd0007 } accept
        @ll,96,16 0x0806 @ll,0,48 { 0x020000000001, 0x024d00001234, 0xffffffffffff } @ll,304,32 { 0xc0a80102, 0xc0a80101 } accept
      }
      chain in0 {
        type filter hook ingress device "lan" priority 0; policy drop;
        @ll,48,48 { 0x020000000001, 0x024d00001234 } accept
      }
    }
    "
  `);
});

test("on a kernel that cannot look at leaving frames, programs cannot address the machine by IPv6", () => {
  const { packets } = segmentGuard([{ iface: SHARED, underlyingName: "mice0" }]);
  expect(packets).toContain(
    '    oifname "lan" ip6 daddr fe80::/10 ip6 daddr != { fe80::ff:fe00:1, fe80::4d:ff:fe00:1234 } drop\n',
  );
  expect(packets).toContain("ip6 daddr ff00::/8 ip6 daddr != { ff02::16, ff02::1:ff00:1,");
  expect(packets).not.toContain("egress");
});

test("a segment that nobody shares has no guard", () => {
  const { neighbours: _, ...own } = SHARED;
  expect(segmentGuard([{ iface: own, underlyingName: "lan" }])).toEqual({ frames: "", packets: "" });
});
