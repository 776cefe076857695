import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { needsIpv6Subnets, networkOptions } from "../../../../orchestrator/runtime/docker/segment-networks.ts";
import {
  drawSegmentSubnet,
  endpointAddress,
  gatewayAddress,
  MAX_ENDPOINTS,
  overlapsAny,
  SUBNET_RANDOM_OCTETS,
} from "../../../../orchestrator/runtime/docker/segment-subnet.ts";

const RANDOM = fc.uint8Array({ minLength: SUBNET_RANDOM_OCTETS, maxLength: SUBNET_RANDOM_OCTETS });

describe("drawWireSubnet", () => {
  test.each([
    [[0, 0, 0, 0, 0, 0, 0, 0], { ipv4: "10.128.0.0/26", ipv6: "fd00:0000:0000::/64" }],
    [[255, 255, 255, 255, 255, 255, 255, 255], { ipv4: "10.255.255.192/26", ipv6: "fdff:ffff:ffff::/64" }],
    [[7, 1, 65, 1, 2, 3, 4, 5], { ipv4: "10.135.1.64/26", ipv6: "fd01:0203:0405::/64" }],
  ])("makes of %j the subnets %j", (octets, subnet) => {
    expect(drawSegmentSubnet(Uint8Array.from(octets), true)).toEqual(subnet);
  });

  test("leaves IPv6 out for engines that carry it anyway", () => {
    expect(drawSegmentSubnet(new Uint8Array(SUBNET_RANDOM_OCTETS), false)).toEqual({ ipv4: "10.128.0.0/26" });
  });

  test("gives every endpoint an address of its own inside the subnet, none of them the gateway's", () => {
    fc.assert(
      fc.property(RANDOM, (random) => {
        const subnet = drawSegmentSubnet(random, true);
        const all = [gatewayAddress(subnet)];
        for (let i = 0; i < MAX_ENDPOINTS; i++) all.push(endpointAddress(subnet, i));
        expect(new Set(all.map(({ ipv4 }) => ipv4)).size).toBe(MAX_ENDPOINTS + 1);
        const broadcast = ipaddr.IPv4.broadcastAddressFromCIDR(subnet.ipv4).toString();
        for (const { ipv4, ipv6 } of all) {
          expect(ipaddr.IPv4.parse(ipv4).match(ipaddr.IPv4.parseCIDR(subnet.ipv4))).toBe(true);
          expect(ipv4).not.toBe(broadcast);
          expect(ipaddr.IPv6.parse(ipv6 ?? "").match(ipaddr.IPv6.parseCIDR(subnet.ipv6 ?? ""))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("says so when a segment is full", () => {
    const subnet = drawSegmentSubnet(new Uint8Array(SUBNET_RANDOM_OCTETS), true);
    expect(() => endpointAddress(subnet, MAX_ENDPOINTS)).toThrow("a segment carries at most 61 nodes");
  });
});

test.each([
  ["the same subnet", "10.200.7.65/26", true],
  ["a wider one around it", "10.200.0.9/16", true],
  ["a narrower one inside it", "10.200.7.99/30", true],
  ["its neighbour", "10.200.7.1/26", false],
  ["one so wide that nothing would be left to draw", "10.1.2.3/8", false],
  ["another range", "192.0.2.2/24", false],
])("10.200.7.64/26 and %s, %s, overlap: %s", (_, network, expected) => {
  expect(overlapsAny({ ipv4: "10.200.7.64/26" }, ["127.0.0.1/8", network])).toBe(expected);
});

test.each([
  ["1.41", false],
  ["1.44", false],
  ["1.45", true],
  ["1.50", true],
  ["2.0", true],
])("an engine of API %s needs an IPv6 subnet to carry IPv6: %s", (api, needed) => {
  expect(needsIpv6Subnets(api)).toBe(needed);
});

test("a segment masquerades nothing", () => {
  expect(networkOptions("segment", { ipv4: "10.128.0.0/26" })).toMatchInlineSnapshot(`
    {
      "CheckDuplicate": true,
      "Driver": "bridge",
      "EnableIPv6": false,
      "IPAM": {
        "Config": [
          {
            "Gateway": "10.128.0.1",
            "Subnet": "10.128.0.0/26",
          },
        ],
        "Driver": "default",
      },
      "Name": "segment",
      "Options": {
        "com.docker.network.bridge.enable_ip_masquerade": "false",
        "com.docker.network.bridge.inhibit_ipv4": "true",
      },
    }
  `);
});
