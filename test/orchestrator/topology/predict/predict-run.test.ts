import { describe, expect, test } from "vitest";
import { predictRun } from "../../../../orchestrator/topology/predict/predict-run.ts";
import { HOME_AGENTS, resolved, topologyText, twoHomes } from "../sample.ts";

const CONE = "nat: port-restricted-cone";
/** Two homes with a direct path, and these events as the inside of a flow sequence. */
const direct = (events: string, nat = CONE): string => `${twoHomes(nat, CONE).trimEnd()}\ntimeline: [${events}]\n`;

const breaks = (at: string, link: string, name: string): string =>
  `{ at: ${at}, link: ${link}, conditions: { loss: 100% }, name: ${name} }`;
const mends = (at: string, link: string, name: string): string => `{ at: ${at}, link: ${link}, name: ${name} }`;
const HOME_AGENT_GONE = breaks("1s", "ha-a/internet", "ha-gone");

/** The path after each event, with the types of its pair where there is one. */
function predicted(text: string): readonly string[] {
  return predictRun(resolved(text)).map(({ after = "set up", path, selected }) =>
    [`${after}: ${path}`, selected?.join(" → ")].filter((part) => part !== undefined).join(", "),
  );
}

const REFLEXIVE = "server-reflexive → server-reflexive";

test("every event of a timeline has a prediction of its own for each session", () => {
  const homes = twoHomes("nat: { preset: port-restricted-cone, portAssignment: random }", "nat: symmetric").trimEnd();
  const timeline = `timeline: [${breaks("1s", "nat-a/internet", "breaks")}, ${mends("2s", "nat-a/internet", "heals")}]`;
  const later = predictRun(resolved(`${homes}\n${timeline}\n`)).filter(({ after }) => after !== undefined);
  expect(later.map(({ after, session, path }) => [after, session, path])).toEqual([
    ["breaks", "mn-cn", "none"],
    ["heals", "mn-cn", "home-agents"],
  ]);
});

describe("a direct path needs nobody but its ends", () => {
  test("a home agent out of reach does not end it", () => {
    expect(predicted(direct(HOME_AGENT_GONE))).toEqual([
      `set up: direct, ${REFLEXIVE}`,
      `ha-gone: direct, ${REFLEXIVE}`,
    ]);
  });

  test("both home agents out of reach do not end it", () => {
    const events = [HOME_AGENT_GONE, breaks("1m", "ha-b/internet", "other-gone"), mends("2m", "ha-a/internet", "back")];
    expect(predicted(direct(events.join())).slice(1)).toEqual(
      ["ha-gone", "other-gone", "back"].map((event) => `${event}: direct, ${REFLEXIVE}`),
    );
  });

  test("a home agent out of reach ends one through the home agents", () => {
    expect(predicted(direct(HOME_AGENT_GONE, "nat: symmetric"))[1]).toBe("ha-gone: none");
  });

  test("the STUN server of a stationary node out of reach does not end it", () => {
    const text = topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }, office: { ipv4: 192.168.2.0/24, ipv6: '2001:db8:5::/64' }",
      nodes: `ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" },
        stun: { role: stun-server, on: internet },
        nat-a: { role: router, wan: internet, lan: home, ${CONE} },
        mn: { role: mobile-node, on: home, homeAgent: ha-a },
        cn: { role: stationary-node, on: internet, stun: stun }`,
      rest: `sessions: [{ from: mn, to: cn }]\ntimeline: [${breaks("1s", "stun/internet", "gone")}]`,
    });
    const [before, after] = predicted(text);
    expect([before, after]).toEqual([
      "set up: direct, server-reflexive → host",
      "gone: direct, server-reflexive → host",
    ]);
  });

  test("the reboot of a NAT that keeps its ports does not end it, and the reboot of one that draws others does", () => {
    const nat = "nat: { preset: port-restricted-cone, portAssignment: random }";
    const events = (ports: string): string => `${HOME_AGENT_GONE}, { at: 2s, reboot: nat-a, ports: ${ports} }`;
    expect(predicted(direct(events("same"), nat)).at(-1)).toBe(`reboot: direct, ${REFLEXIVE}`);
    expect(predicted(direct(events("new"), nat)).at(-1)).toBe("reboot: none");
    expect(predicted(direct(events("new"))).at(-1)).toBe(`reboot: direct, ${REFLEXIVE}`);
  });
});

describe("a session restarts through the home agents", () => {
  const MOVES = `${HOME_AGENT_GONE}, { at: 2s, move: mn, to: internet }`;

  test("an end that moves while a home agent is out of reach has no path, until it is back", () => {
    expect(predicted(direct(`${MOVES}, ${mends("3s", "ha-a/internet", "back")}`)).slice(1)).toEqual([
      `ha-gone: direct, ${REFLEXIVE}`,
      "move: none",
      "back: direct, host → server-reflexive",
    ]);
  });

  test("the peer's home agent out of reach is no way to an end that has moved", () => {
    expect(predicted(direct(MOVES.replace("ha-a", "ha-b"))).at(-1)).toBe("move: none");
  });

  test("after a departure, data has no path while a home agent is out of reach", () => {
    const events = `{ at: 1s, deregister: mn }, ${breaks("2s", "ha-b/internet", "gone")}, { at: 3s, move: mn, to: internet }`;
    expect(predicted(direct(`${events}, ${mends("4s", "ha-b/internet", "back")}`)).slice(1)).toEqual([
      "deregister: none",
      "gone: none",
      "move: none",
      "back: home-agents",
    ]);
  });
});

describe("a pair that is silent", () => {
  const HA_GONE_AND_SILENCE = (untilSec: number): string =>
    [
      HOME_AGENT_GONE,
      breaks("2s", "nat-a/internet", "breaks"),
      mends(`${untilSec}s`, "nat-a/internet", "mends"),
    ].join();

  test("is asked further for the 10 s of its consent checks, though data has left it", () => {
    expect(predicted(direct(HA_GONE_AND_SILENCE(11))).slice(2)).toEqual([
      "breaks: none",
      `mends: direct, ${REFLEXIVE}`,
    ]);
  });

  test("is given up after them, and with a home agent out of reach there is no other", () => {
    expect(predicted(direct(HA_GONE_AND_SILENCE(13))).slice(2)).toEqual(["breaks: none", "mends: none"]);
  });

  /** Two interfaces behind unlike NATs, so that the pair tells which one is used. */
  const both = (rest: string): string =>
    topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }, phone: { ipv4: 192.168.2.0/24 }",
      nodes: `${HOME_AGENTS},
        nat-a: { role: router, wan: internet, lan: home, nat: symmetric },
        nat-b: { role: router, wan: internet, lan: phone, ${CONE} },
        mn: { role: mobile-node, on: [home, phone], homeAgent: ha-a },
        cn: { role: correspondent-node, on: internet, homeAgent: ha-b }`,
      rest: `sessions: [{ from: mn, to: cn }]\n${rest}`,
    });
  const BY_HOME = "direct, peer-reflexive → host";
  const BY_PHONE = "direct, server-reflexive → host";

  test("carries nothing until its ends notice, though another interface has a path", () => {
    const events = (untilSec: number): string =>
      `timeline: [${breaks("1s", "mn/home", "breaks")}, ${mends(`${untilSec}s`, "mn/home", "mends")}]`;
    expect(predicted(both(events(2)))).toEqual([`set up: ${BY_HOME}`, "breaks: none", `mends: ${BY_HOME}`]);
    expect(predicted(both(events(30)))).toEqual([`set up: ${BY_HOME}`, `breaks: ${BY_PHONE}`, `mends: ${BY_PHONE}`]);
  });

  test("on an interface that is not used concerns nobody, and neither does its return", () => {
    expect(predicted(both(`timeline: [${breaks("1s", "mn/phone", "breaks")}]`))[1]).toBe(`breaks: ${BY_HOME}`);
    const broken = `links: { mn/home: { loss: 100% } }\ntimeline: [${mends("1s", "mn/home", "mends")}]`;
    expect(predicted(both(broken))).toEqual([`set up: ${BY_PHONE}`, `mends: ${BY_PHONE}`]);
  });
});
