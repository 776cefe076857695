import { describe, expect, test } from "vitest";
import { predictRun } from "../../../../orchestrator/topology/predict/predict-run.ts";
import { topologyAfter } from "../../../../orchestrator/topology/resolve/timeline.ts";
import { issuesOf, nodeOf, resolved, routerOf, topologyText, twoHomes } from "../sample.ts";

const HOMES = twoHomes("nat: { preset: port-restricted-cone, portAssignment: random }", "nat: symmetric");

/** A topology of two homes, followed by `rest`. */
function homes(rest: string): string {
  return `${HOMES.trimEnd()}\n${rest}\n`;
}

describe("a timeline", () => {
  test("is resolved in the order of happening, each event named after its kind", () => {
    const { timeline } = resolved(
      homes('timeline: [{ at: 2s, reboot: nat-b, down: 500ms }, { at: 300ms, reboot: nat-a, name: "first" }]'),
    );
    expect(timeline).toMatchObject([
      { name: "first", atMs: 300, actions: [{ type: "reboot", node: "nat-a", downMs: 0 }] },
      { name: "reboot", atMs: 2000, actions: [{ type: "reboot", node: "nat-b", downMs: 500 }] },
    ]);
  });

  test("draws the ports of a rebooted middlebox anew, the same ones for the same seed, unless it says otherwise", () => {
    const seedAfter = (event: string, seed: number) => {
      const topology = resolved(homes(`timeline: [{ at: 1s, reboot: nat-a${event} }]`), seed);
      const [action] = topology.timeline.flatMap((entry) => entry.actions);
      const after = action?.type === "reboot" ? action.natSeed : undefined;
      return { before: routerOf(topology, "nat-a").nat?.seed, after };
    };
    expect(seedAfter("", 7)).toEqual(seedAfter("", 7));
    expect(seedAfter("", 7).after).not.toBe(seedAfter("", 8).after);
    expect(seedAfter("", 7).after).not.toBe(seedAfter("", 7).before);
    expect(seedAfter(", ports: same", 7).after).toBe(seedAfter("", 7).before);
  });

  test("leaves a middlebox without address translation without ports to draw", () => {
    const [event] = resolved(
      topologyText({
        segments: "lan: { ipv4: 198.18.2.0/24 }",
        nodes: "fw: { role: router, wan: internet, lan: lan, firewall: stateful }",
        rest: "timeline: [{ at: 1s, reboot: fw }]",
      }),
    ).timeline;
    expect(event?.actions).toEqual([{ type: "reboot", node: "fw", role: "router", downMs: 0 }]);
  });
});

describe("a move", () => {
  const topology = resolved(
    homes("timeline: [{ at: 1s, move: mn, to: internet, name: out }, { at: 2s, move: mn, to: home-a, name: back }]"),
  );
  const nodeAfter = (event: string) => nodeOf(topologyAfter(topology, event), "mn");

  test("gives the node another address, after all those of nodes that are there from the start", () => {
    const before = resolved(homes("")).nodes.map(({ interfaces }) => interfaces);
    expect(topology.nodes.map(({ interfaces }) => interfaces)).toEqual(before);
    expect(nodeAfter("out").interfaces).toMatchObject([
      { segment: "internet", ipv4: "198.18.0.6/24", ipv6: "2001:db8:0:1::6/64" },
    ]);
  });

  test("gives it the routes of its new place, and the old ones where it returns", () => {
    const start = nodeOf(topology, "mn");
    expect(start.routes).toEqual([{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "home-a" }]);
    expect(nodeAfter("out").routes.filter(({ to }) => to === "0.0.0.0/0")).toEqual([]);
    expect(nodeAfter("back")).toEqual(start);
  });

  test("is predicted anew: the model sees the node where it is then", () => {
    expect(predictRun(topology).map(({ after, path, selected }) => [after, path, selected?.[0]])).toEqual([
      [undefined, "home-agents", "relayed"],
      ["out", "direct", "host"],
      ["back", "home-agents", "relayed"],
    ]);
  });

  test("to where the home agent cannot be reached is refused with its place", () => {
    const text = HOMES.replace("segments: {", "segments: { island: { ipv4: 10.9.0.0/24 },");
    const [issue, ...others] = issuesOf(`${text.trimEnd()}\ntimeline: [{ at: 1s, move: mn, to: island }]\n`);
    expect(issue).toMatch(
      /^t\.yaml:10:36 timeline\[0\]\.to: expected a way from mn to its home agent ha-a; mn has no route/,
    );
    expect(others).toEqual([]);
  });
});

test("the model predicts nothing of a node that has left, and the home agents' path once it is back elsewhere", () => {
  const topology = resolved(
    homes("timeline: [{ at: 1s, deregister: mn }, { at: 2s, reboot: nat-b }, { at: 3s, move: mn, to: internet }]"),
  );
  expect(predictRun(topology).map(({ after, path }) => [after, path])).toEqual([
    [undefined, "home-agents"],
    ["deregister", "none"],
    ["reboot", "none"],
    ["move", "home-agents"],
  ]);
});

describe("what is wrong with a timeline is said with its place", () => {
  const place = HOMES.trimEnd().split("\n").length + 2;

  test.each([
    [
      "nobody of that name",
      "{ at: 1s, reboot: nat-c }",
      '21 timeline[0].reboot: expected a router, home-agent or stun-server; found "nat-c"; did you mean nat-a?',
    ],
    [
      "somebody else",
      "{ at: 1s, reboot: mn }",
      "21 timeline[0].reboot: expected a router, home-agent or stun-server; found mn, which is a mobile-node; there are: ha-a, ha-b, nat-a, nat-b",
    ],
    [
      "a time without unit",
      "{ at: 1, reboot: nat-a }",
      "9 timeline[0].at: expected a duration such as 30s, 400ms or 2m; found 1; write 1s or 1ms",
    ],
    [
      "nothing that happens",
      "{ at: 1s }",
      "3 timeline[0]: expected one of move, deregister, reboot, forget, readdress, change, pause, resume, kill, restart, link; found none; say what happens",
    ],
    [
      "two things at once",
      "{ at: 1s, move: mn, to: home-b, reboot: nat-a }",
      "3 timeline[0]: expected one of move, deregister, reboot, forget, readdress, change, pause, resume, kill, restart, link; found move and reboot; make two events of it",
    ],
    [
      "a key of another kind",
      "{ at: 1s, move: mn, to: home-b, down: 1s }",
      "35 timeline[0].down: expected `down` only beside `reboot`; found it beside `move`; remove it",
    ],
    [
      "a link that is not there",
      "{ at: 1s, link: mn/home-b }",
      '19 timeline[0].link: expected <node>/<segment> of a node on that segment; found "mn/home-b"; did you mean mn/home-a?',
    ],
    [
      "conditions that cannot be",
      "{ at: 1s, link: mn/home-a, conditions: { jitter: 2ms } }",
      "52 timeline[0].conditions.jitter: expected `delay` beside `jitter`; found none; add it, or remove `jitter`",
    ],
    [
      "a move to nowhere",
      "{ at: 1s, move: mn }",
      "3 timeline[0].to: expected `to` beside `move`; found none; name the segment that it moves to",
    ],
    [
      "a move to no segment",
      "{ at: 1s, move: mn, to: home-c }",
      '27 timeline[0].to: expected a segment; found "home-c"; did you mean home-a?',
    ],
    [
      "a move to where the node is",
      "{ at: 1s, move: mn, to: home-a }",
      "27 timeline[0].to: expected another segment; mn is on home-a already",
    ],
    [
      "a move to one segment twice",
      "{ at: 1s, move: mn, to: [home-b, home-b] }",
      "36 timeline[0].to[1]: expected another segment; found home-b twice; remove one",
    ],
    [
      "a move of one node twice",
      "{ at: 1s, move: [mn, cn, mn], to: internet }",
      "28 timeline[0].move[2]: expected another node; found mn twice; remove one",
    ],
    [
      "a move of somebody who stays",
      "{ at: 1s, move: [mn, nat-a], to: internet }",
      "24 timeline[0].move[1]: expected a mobile-node, correspondent-node or host; found nat-a, which is a router; there are: mn, cn",
    ],
  ])("%s", (_, event, problem) => {
    expect(issuesOf(homes(`timeline:\n- ${event}`))).toEqual([`t.yaml:${place}:${problem}`]);
  });

  test("two events of one name", () => {
    expect(issuesOf(homes("timeline:\n- { at: 1s, reboot: nat-a }\n- { at: 2s, reboot: nat-b }"))).toEqual([
      `t.yaml:${place + 1}:3 timeline[1]: expected a name of its own for each event; found reboot again; add \`name\``,
    ]);
  });

  test.each([
    [
      "{ session: mn-cn, after: rebot }",
      '28 expect[0].after: expected an event of the timeline; found "rebot"; did you mean reboot?',
    ],
    [
      "{ session: mn-cn, outage: 1s }",
      "29 expect[0].outage: expected `after` beside `outage`; found none; add it, or remove `outage`",
    ],
  ])("an expectation about an event: %s", (entry, problem) => {
    const text = homes(`timeline: [{ at: 1s, reboot: nat-a }]\nexpect:\n- ${entry}`);
    expect(issuesOf(text)).toEqual([`t.yaml:${place + 1}:${problem}`]);
  });
});

test("times of an expectation are about the set-up, or about the event that it names", () => {
  const { expectations } = resolved(
    homes(
      "timeline: [{ at: 1s, reboot: nat-a }]\nexpect: [{ session: mn-cn, within: 2s }, { session: mn-cn, after: reboot, within: 3s, outage: 500ms }]",
    ),
  );
  expect(expectations).toMatchObject([
    { nominatedWithinMs: 2000 },
    { after: "reboot", restoredWithinMs: 3000, maxOutageMs: 500 },
  ]);
});

describe("a link that changes", () => {
  const topology = resolved(
    homes(
      "links: { mn/home-a: { out: { delay: 5ms } } }\ntimeline: [{ at: 1s, link: mn/home-a, conditions: { loss: 100% }, name: breaks }, { at: 2s, link: mn/home-a, name: heals }]",
    ),
  );
  const impairmentAfter = (event: string) => nodeOf(topologyAfter(topology, event), "mn").interfaces[0]?.impairment;

  test("has a condition in both directions from the start, so that nothing is built while data flows", () => {
    expect(nodeOf(topology, "mn").interfaces[0]?.impairment).toEqual({ out: { delayMs: 5 }, in: {} });
  });

  test("has from each event on what that says, and nothing of what it had", () => {
    expect(impairmentAfter("breaks")).toEqual({ out: { lossRate: 1 }, in: { lossRate: 1 } });
    expect(impairmentAfter("heals")).toEqual({ out: {}, in: {} });
  });

  test("carries nothing as predicted while it loses everything", () => {
    expect(predictRun(topology).map(({ after, path }) => [after, path])).toEqual([
      [undefined, "home-agents"],
      ["breaks", "none"],
      ["heals", "home-agents"],
    ]);
    expect(predictRun(topology)[1]?.why).toEqual([
      "none: mn cannot register with ha-a: the link mn/home-a carries nothing.",
    ]);
  });

  test("stays what it became while its node is elsewhere", () => {
    const visited = resolved(
      homes(
        "timeline: [{ at: 1s, link: mn/home-a, conditions: { delay: 9ms } }, { at: 2s, move: mn, to: internet, name: out }, { at: 3s, move: mn, to: home-a, name: back }]",
      ),
    );
    expect(nodeOf(topologyAfter(visited, "out"), "mn").interfaces[0]).not.toHaveProperty("impairment");
    expect(nodeOf(topologyAfter(visited, "back"), "mn").interfaces[0]?.impairment?.out).toEqual({ delayMs: 9 });
  });
});
