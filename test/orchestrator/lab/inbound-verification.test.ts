import { expect, test } from "vitest";
import { concludeInbound, describeInboundDifference, marksOf } from "../../../orchestrator/lab/inbound-verification.ts";
import type { InboundProbe } from "../../../orchestrator/plan/inbound-probe-plan.ts";

const PROBE: InboundProbe = {
  router: "nat-h",
  kind: "forward",
  protocol: "udp",
  from: { node: "ha-b", ip: "198.18.0.3" },
  destination: { ip: "198.18.0.4", port: 4191 },
  target: { node: "ha-a", ip: "192.168.1.2", port: 4191 },
  closedPort: 4192,
  ipVersion: 4,
  needs: ["ha-b", "ha-a", "nat-h"],
  roundTrip: { addedMs: 0, lossRate: 0 },
  seed: "00112233",
};
const { open, closed } = marksOf(PROBE);

/** The differences that a probe finds, and whether a retry may help. */
function complaints(probe: InboundProbe, heard: Parameters<typeof concludeInbound>[1]) {
  const verification = concludeInbound(probe, heard, 1);
  return verification.differences.map((each) => [describeInboundDifference(verification, each), each.isSilence]);
}

test("a middlebox is right when the datagram to its way in arrives, at the right port, and the one beside it does not", () => {
  const verification = concludeInbound(PROBE, [{ mark: open, port: 4191 }], 2);
  expect(verification).toMatchObject({ reachedPort: 4191, differences: [], attempts: 2 });
  expect(verification).not.toHaveProperty("closedReachedPort");
});

test.each([
  [
    "silence",
    [],
    [["router nat-h declared UDP 198.18.0.4:4191 forwarded to ha-a:4191, observed nothing there (sent by ha-b)", true]],
  ],
  [
    "another port",
    [{ mark: open, port: 5000 }],
    [["router nat-h declared UDP 198.18.0.4:4191 forwarded to ha-a:4191, observed ha-a:5000 (sent by ha-b)", false]],
  ],
  [
    "an open port beside it",
    [
      { mark: closed, port: 4192 },
      { mark: open, port: 4191 },
    ],
    [["router nat-h declared no way in for UDP to 198.18.0.4:4192, observed one to ha-a:4192 (sent by ha-b)", false]],
  ],
])("%s is said against a forward", (_, heard, expected) => {
  expect(complaints(PROBE, heard)).toEqual(expected);
});

test("TCP is called TCP", () => {
  expect(complaints({ ...PROBE, protocol: "tcp" }, [{ mark: closed, port: 4192 }])).toEqual([
    ["router nat-h declared TCP 198.18.0.4:4191 forwarded to ha-a:4191, observed nothing there (sent by ha-b)", true],
    ["router nat-h declared no way in for TCP to 198.18.0.4:4192, observed one to ha-a:4192 (sent by ha-b)", false],
  ]);
});

test("pinholes and prefixes are called ways in", () => {
  expect(complaints({ ...PROBE, kind: "pinhole" }, [])).toEqual([
    ["router nat-h declared a way in for UDP to ha-a:4191, observed nothing there (sent by ha-b)", true],
  ]);
});
