import { describe, expect, test } from "vitest";
import { createSimNat, HOME_ROUTER, SimHost, SimNet } from "../../../agent/src/testing/index.ts";

const PAYLOAD = Uint8Array.of(1, 2, 3);
const PORT = 45_000;

function send(from: SimHost, ip: string, to: string): boolean {
  return from.send({
    kind: "udp",
    source: { ip, port: PORT },
    destination: { ip: to, port: PORT },
    payload: PAYLOAD,
  });
}

/** Binds a socket and records the sources of datagrams. */
function listen(host: SimHost, ip: string): string[] {
  const sources: string[] = [];
  host.bind({ ip, port: PORT }, (_payload, remote) => sources.push(`${host.net.time.now} ${remote.ip}:${remote.port}`));
  return sources;
}

describe("hosts on segments", () => {
  test("a packet takes the delays of both its ports, and none to the sender's own address", () => {
    const net = new SimNet();
    const [a, b] = [new SimHost(net, "a"), new SimHost(net, "b")];
    a.attach("segment", ["10.0.0.1/24"], { delayMs: 3 });
    b.attach("segment", ["10.0.0.2/24"], { delayMs: 4 });
    const [atA, atB] = [listen(a, "10.0.0.1"), listen(b, "10.0.0.2")];
    send(a, "10.0.0.1", "10.0.0.2");
    send(a, "10.0.0.1", "10.0.0.1");
    net.time.runUntil(100);
    expect({ atA, atB }).toEqual({ atA: ["0 10.0.0.1:45000"], atB: ["7 10.0.0.1:45000"] });
  });

  test("several packets under way on one link all arrive", () => {
    const net = new SimNet();
    const [a, b] = [new SimHost(net, "a"), new SimHost(net, "b")];
    a.attach("segment", ["10.0.0.1/24"], { delayMs: 10 });
    b.attach("segment", ["10.0.0.2/24"]);
    const atB = listen(b, "10.0.0.2");
    for (const at of [0, 5, 9]) net.time.at(at, () => void send(a, "10.0.0.1", "10.0.0.2"));
    net.time.runUntil(100);
    expect(atB.map((arrival) => arrival.split(" ")[0])).toEqual(["10", "15", "19"]);
  });

  test("without a route nothing is sent; without a taker on the wire the trace says so", () => {
    const net = new SimNet();
    const a = new SimHost(net, "a");
    a.attach("segment", ["10.0.0.1/24"]);
    expect(send(a, "10.0.0.1", "198.18.0.1")).toBe(false);
    expect(send(a, "10.0.0.1", "10.0.0.9")).toBe(true);
    expect(net.trace.map(({ outcome }) => outcome)).toEqual(["no-such-address"]);
  });

  test("the longest prefix wins, also after the host has sent there before", () => {
    const net = new SimNet();
    const [a, far, near] = [new SimHost(net, "a"), new SimHost(net, "far"), new SimHost(net, "near")];
    a.attach("segment", ["10.0.0.1/24"]);
    far.attach("segment", ["10.0.0.2/24"]);
    near.attach("segment", ["10.0.0.3/24"]);
    a.route("0.0.0.0/0", "10.0.0.2");
    send(a, "10.0.0.1", "198.18.7.7");
    a.route("198.18.7.0/24", "10.0.0.3");
    send(a, "10.0.0.1", "198.18.7.7");
    expect(net.trace.map(({ to }) => to)).toEqual(["far", "near"]);
  });
});

describe("two homes with the same addresses", () => {
  function homes(hairpinning = false) {
    const net = new SimNet();
    const sides = (["a", "b"] as const).map((letter, i) => {
      const host = new SimHost(net, `host-${letter}`);
      host.attach(`home-${letter}`, ["192.168.1.2/24"]);
      const nat = createSimNat(net, {
        name: `nat-${letter}`,
        profile: { ...HOME_ROUTER, hairpinning, filtering: "endpoint-independent" },
        wan: { segment: "internet", address: `198.18.0.${i + 1}/24` },
        lan: { segment: `home-${letter}`, address: "192.168.1.1/24" },
      });
      host.route("0.0.0.0/0", "192.168.1.1");
      return { host, nat, heard: listen(host, "192.168.1.2") };
    });
    const [a, b] = sides;
    if (a === undefined || b === undefined) throw new Error("there are two sides");
    return { net, a, b };
  }

  test("see each other as the external addresses of their middleboxes", () => {
    const { net, a, b } = homes();
    send(b.host, "192.168.1.2", "198.18.0.1");
    net.time.runUntil(10);
    expect(a.nat.refused()).toBe(1);
    send(a.host, "192.168.1.2", "198.18.0.2");
    net.time.runUntil(20);
    expect(b.heard).toEqual(["10 198.18.0.1:45000"]);
  });

  test("a packet to the peer's private address comes back to the sender's own socket", () => {
    const { net, a, b } = homes();
    send(a.host, "192.168.1.2", "192.168.1.2");
    net.time.runUntil(10);
    expect({ a: a.heard, b: b.heard }).toEqual({ a: ["0 192.168.1.2:45000"], b: [] });
  });

  test.each([
    { hairpinning: true, heard: ["0 198.18.0.1:45000"] },
    { hairpinning: false, heard: [] },
  ])("a packet to the own external address, hairpinning $hairpinning", ({ hairpinning, heard }) => {
    const { net, a } = homes(hairpinning);
    send(a.host, "192.168.1.2", "198.18.0.2");
    send(a.host, "192.168.1.2", "198.18.0.1");
    net.time.runUntil(10);
    expect(a.heard).toEqual(heard);
  });
});
