import { describe, expect, test } from "vitest";
import { encodeMobilityMessage } from "../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../agent/src/core/mip6/mobility-header.ts";
import {
  createNumberedFlow,
  createStationaryNet,
  type End,
  eventsOf,
  ipv6Packet,
  type MiceNet,
  type SimHost,
  type SimPacket,
} from "../../agent/src/testing/index.ts";
import { parameterProblem } from "../support/parameter-problem.ts";
import {
  ACCESS,
  CONNECT_AT,
  connectStationary,
  dataBothWays,
  failuresOf,
  mobilityFrom,
  mobilityMessageOf,
  mobilityTypeOf,
  offer,
  pathOf,
  SYMMETRIC,
} from "./scenario.ts";

describe("a correspondent without home agent", () => {
  test.each([
    {
      name: "and a mobile node behind a home router: reflexive to host",
      setup: { a: { nat: {}, access: ACCESS }, cn: { access: ACCESS } },
      mn: "direct server-reflexive host",
      cn: "direct host server-reflexive",
    },
    {
      name: "and a mobile node behind a symmetric middlebox: peer-reflexive to host",
      setup: { a: { nat: SYMMETRIC, access: ACCESS }, cn: { access: ACCESS } },
      mn: "direct peer-reflexive host",
      cn: "direct host peer-reflexive",
    },
    {
      name: "and a mobile node on an IPv6 network: host to host",
      setup: { a: { versions: [6, 4] as const, access: ACCESS }, cn: { access: ACCESS } },
      mn: "direct host host",
      cn: "direct host host",
    },
    {
      name: "that has no IPv4 at all: through the one home agent",
      setup: { a: { nat: {}, access: ACCESS }, cn: { versions: [6] as const, access: ACCESS } },
      mn: "home-agents relayed host",
      cn: "home-agents host relayed",
    },
  ])("$name", ({ setup, mn, cn }) => {
    const mice = connectStationary(setup);

    expect(mice.runUntilBoth("path", 20_000)).toBe(true);

    expect({ mn: pathOf(mice.mn), cn: pathOf(mice.cn) }).toEqual({ mn, cn });
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });
});

describe("a session that the stationary node begins", () => {
  test("is offered by the mobile node, which is asked to with a Binding Refresh Request", () => {
    const mice = begunByCorrespondent();
    expect(mice.runUntilBoth("path", 5000)).toBe(true);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([
      "direct server-reflexive host",
      "direct host server-reflexive",
    ]);
    expect(eventsOf(mice.cn, "offer-requested").length).toBe(1);
    expect(mobilityFrom(mice, "mn").map(({ packet }) => mobilityTypeOf(packet))).toEqual([
      MH.bindingUpdate,
      MH.homeTestInit,
      MH.careOfTestInitIce,
      MH.bindingUpdate,
    ]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("is asked for again after a second when the request is lost", () => {
    const mice = begunByCorrespondent(({ net }) => {
      let isFirst = true;
      net.intercept(({ from, packet }) => {
        const isLost = isFirst && from === "cn" && packet.kind === "ipv6";
        if (isLost) isFirst = false;
        return !isLost;
      });
    });
    expect(mice.runUntilBoth("path", 5000)).toBe(true);
    expect(eventsOf(mice.cn, "offer-requested").map(({ atMs }) => atMs)).toEqual([CONNECT_AT, CONNECT_AT + 1000]);
  });

  test("fails after a minute when nobody offers", () => {
    const { net, cn } = createStationaryNet();
    cn.node.tell((machine, now) => machine.connect(now, "2001:db8:a::dead"));
    net.time.runUntil(120_000);
    expect(eventsOf(cn, "session-failed").map(({ atMs, event }) => [atMs, event.reason])).toEqual([
      [63_000, "the peer was asked to offer a session and did not"],
    ]);
  });

  test("comes back by itself when the mobile node's middlebox reboots", () => {
    const mice = begunByCorrespondent();
    mice.runUntilBoth("path", 5000);
    mice.mn.nat?.table.clear();
    mice.net.time.runUntil(mice.net.time.now + 40_000);
    expect([pathOf(mice.mn), pathOf(mice.cn)].map((path) => path.split(" ")[0])).toEqual(["direct", "direct"]);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });
});

describe("Binding Refresh Requests that nobody vouches for", () => {
  test("restart a session once in five seconds at most, and never take its data off the direct path", () => {
    const mice = connectStationary({ a: { nat: {}, access: ACCESS }, cn: { access: ACCESS } });
    mice.runUntilBoth("path", 5000);
    const { mn, cn, net } = mice;
    const flow = createNumberedFlow(mn, cn);
    flow.sendEvery(10, 10_000);
    for (let afterMs = 0; afterMs < 10_000; afterMs += 50)
      net.time.at(net.time.now + afterMs, () => cn.node.host.send(refreshRequest(cn, mn)));
    net.time.runUntil(net.time.now + 12_000);
    expect(eventsOf(mn, "offer-sent").filter(({ event }) => event.isRestart).length).toBe(2);
    expect(flow.arrivals().length).toBe(1000);
    expect(eventsOf(mn, "path").map(({ event }) => event.path)).not.toContain("home-agents");
  });

  test("from strangers tell them nothing: no offer, no packet, no session", () => {
    // Without questions that keep the tunnel's mapping.
    const { net, mn } = createStationaryNet({ a: { timers: { tunnelKeepaliveMs: 600_000 } } });
    net.time.runUntil(CONNECT_AT);
    const sent = sentBy(mn);
    for (let i = 1; i <= 200; i += 1)
      arrive(mn.homeAgent.host, refreshRequest({ homeAddress: `2001:db8:f::${i}` }, mn));
    net.time.runUntil(CONNECT_AT + 70_000);
    expect(mn.node.machine.counters()["dropped.offer-request-of-stranger"]).toBe(200);
    expect(eventsOf(mn, "offer-sent")).toEqual([]);
    expect(sent()).toBe(0);
  });

  test("in the name of a node that is not expected are heeded once there is a session with it", () => {
    const { net, mn, cn } = createStationaryNet({ a: { peers: [] } });
    net.time.runUntil(CONNECT_AT);
    arrive(mn.homeAgent.host, refreshRequest(cn, mn));
    net.time.runUntil(CONNECT_AT + 1000);
    expect(eventsOf(mn, "offer-sent")).toEqual([]);
    offer(mn, cn);
    net.time.runUntil(CONNECT_AT + 10_000);
    arrive(mn.homeAgent.host, refreshRequest(cn, mn));
    net.time.runUntil(CONNECT_AT + 11_000);
    expect(eventsOf(mn, "offer-sent").map(({ event }) => event.isRestart)).toEqual([false, true]);
  });

  test("from more nodes than a node admits, all of them expected, begin a session with as many as it admits", () => {
    const peers = Array.from({ length: 200 }, (_, i) => `2001:db8:f::${(i + 1).toString(16)}`);
    const { net, mn } = createStationaryNet({ a: { peers } });
    net.time.runUntil(CONNECT_AT);
    for (const homeAddress of peers) arrive(mn.homeAgent.host, refreshRequest({ homeAddress }, mn));
    net.time.runUntil(CONNECT_AT + 100);
    expect(new Set(eventsOf(mn, "offer-sent").map(({ event }) => event.peer)).size).toBe(20);
    expect(mn.node.machine.counters()["dropped.session-rate"]).toBe(180);
  });

  test("say nothing to a node that makes no offers itself", () => {
    const { net, cn } = createStationaryNet();
    net.time.runUntil(CONNECT_AT);
    arrive(cn.node.host, refreshRequest({ homeAddress: "2001:db8:f::1" }, cn));
    expect(cn.node.machine.counters()).toEqual({ "dropped.no-session": 1 });
  });
});

describe("a peer whose kernel knows no Mobility Headers", () => {
  test.each([
    { name: "all of the message", quotedOctets: Infinity },
    { name: "no more than its cookie", quotedOctets: 40 + 16 },
  ])("ends the session at once, quoting $name: data stays with the home agent", ({ quotedOctets }) => {
    const mice = createStationaryNet({ a: { nat: {}, access: ACCESS } });
    const { mn, cn, net } = mice;
    const deliver = cn.node.host.intake;
    cn.node.host.intake = (packet, port) => {
      if (mobilityMessageOf(packet) === undefined) return deliver?.(packet, port) === true;
      const back = { source: cn.homeAddress, destination: mn.homeAddress };
      return cn.node.host.send(ipv6Packet(parameterProblem(packet.payload.subarray(0, quotedOctets), back)));
    };
    net.time.runUntil(CONNECT_AT);
    offer(mn, cn);
    net.time.runUntil(CONNECT_AT + 500);
    expect(failuresOf(mn)).toEqual(["the peer knows no Mobile IPv6"]);
    expect(pathOf(mn)).toBe("home-agents");
    // HoTI and offer were both refused.
    expect(mn.node.machine.counters()["dropped.refusal-unexpected"]).toBe(1);
    expect(dataBothWays(mice)).toEqual([10, 10]);
  });

  test("is not believed about a session that works", () => {
    const mice = connectStationary({ a: { nat: {}, access: ACCESS }, cn: { access: ACCESS } });
    mice.runUntilBoth("path", 5000);
    const { mn, cn } = mice;
    const refused = refreshRequest(mn, cn).payload;
    const back = { source: cn.homeAddress, destination: mn.homeAddress };
    arrive(mn.homeAgent.host, ipv6Packet(parameterProblem(refused, back)));
    mice.net.time.runUntil(mice.net.time.now + 1000);
    expect(failuresOf(mn)).toEqual([]);
    expect(pathOf(mn)).toBe("direct server-reflexive host");
  });
});

/** MH types (RFC 6275 section 6.1, bajko-mip6-rrtfw-02). */
const MH = { homeTestInit: 1, bindingUpdate: 5, careOfTestInitIce: 22 } as const;

function begunByCorrespondent(prepare: (mice: MiceNet<End>) => void = () => undefined): MiceNet<End> {
  const mice = createStationaryNet({ a: { nat: {}, access: ACCESS }, cn: { access: ACCESS } });
  mice.net.time.runUntil(CONNECT_AT);
  prepare(mice);
  offer(mice.cn, mice.mn);
  return mice;
}

/** Counts the packets that a node puts on its segment from now on, its home registration excepted. */
function sentBy({ node }: End): () => number {
  const from = node.host.net.trace.length;
  return () =>
    node.host.net.trace
      .slice(from)
      .filter((entry) => entry.from === node.host.name && mobilityTypeOf(entry.packet) !== MH.bindingUpdate).length;
}

function refreshRequest(
  { homeAddress: source }: Pick<End, "homeAddress">,
  { homeAddress: destination }: End,
): SimPacket {
  const header = encodeMobilityMessage({ type: "binding-refresh-request", options: [] }, { source, destination });
  return ipv6Packet(encodeMobilityPacket(header, { source, destination }));
}

/** Puts a packet on a host's segment, without a sender. */
function arrive(host: SimHost, packet: SimPacket): void {
  const [port] = host.ports;
  if (port !== undefined) host.receive(packet, port);
}
