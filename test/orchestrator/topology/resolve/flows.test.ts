import { expect, test } from "vitest";
import { issuesOf, resolved, topologyText } from "../sample.ts";

const NODES = `alice: { role: host, on: internet, command: [x] }, bob: { role: host, on: internet, command: [x] },
  carol: { role: host, on: internet, command: [x] }, stun: { role: stun-server, on: internet }`;

function withFlows(flows: string): string {
  return topologyText({ nodes: NODES, rest: `flows: ${flows}` });
}

test("a flow is UDP with any port and more than a keepalive, unless it says otherwise", () => {
  const { flows } = resolved(
    withFlows(
      "[{ name: call, between: [alice, bob] }, { name: file, between: [bob, carol], protocol: tcp, data: { ports: [80], minimumSize: 100 } }]",
    ),
  );
  expect(flows).toEqual([
    { name: "call", between: ["alice", "bob"], protocol: "udp", ports: [], minimumOctets: 2, isFound: false },
    { name: "file", between: ["bob", "carol"], protocol: "tcp", ports: [80], minimumOctets: 100, isFound: false },
  ]);
});

test("`all` is a flow of each protocol between any two hosts, told of where there is data", () => {
  const { flows } = resolved(withFlows("all"));
  expect(flows.map(({ name }) => name)).toEqual([
    ...["alice-bob-udp", "alice-bob-tcp", "alice-carol-udp", "alice-carol-tcp"],
    ...["bob-carol-udp", "bob-carol-tcp"],
  ]);
  expect(flows.every(({ isFound }) => isFound)).toBe(true);
});

test.each([
  ["[{ name: call, between: [alice, bop] }]", /t\.yaml:6:\d+ .*expected a host; found "bop"; did you mean bob\?/],
  ["[{ name: call, between: [alice, stun] }]", /expected a host; found stun, which is a stun-server/],
  [
    "[{ name: call, between: [alice, alice] }]",
    /expected another host than alice; found it again; a flow has two ends/,
  ],
  [
    "[{ name: call, between: [alice, bob] }, { name: call, between: [bob, carol] }]",
    /expected each flow's name once; found call again; rename one/,
  ],
  ["[{ name: call, between: [alice] }]", /t\.yaml:6:.*between/],
  ["[{ name: call, between: [alice, bob], protocol: sctp }]", /t\.yaml:6:.*protocol.*expected/],
  ["[{ name: call, between: [alice, bob], data: { ports: [0] } }]", /t\.yaml:6:.*ports.*expected/],
  ["[{ name: call, between: [alice, bob], data: { minimumSize: 0 } }]", /t\.yaml:6:.*minimumSize.*expected/],
  ["[{ name: call, between: [alice, bob], date: {} }]", /t\.yaml:6:46 .*found `date`; did you mean `data`\?/],
  ["some", /t\.yaml:6:.*flows.*expected/],
])("flows: %s is refused with its position and advice", (flows, message) => {
  expect(issuesOf(withFlows(flows))).toEqual([expect.stringMatching(message)]);
});
