import { describe, expect, test } from "vitest";
import { planInboundProbes } from "../../../orchestrator/plan/inbound-probe-plan.ts";
import { resolved } from "../topology/sample.ts";

/** A host behind a router and, if given, a second router around it; a STUN server outside. */
function plan(middlebox: string, { around, more = "" }: { readonly around?: string; readonly more?: string } = {}) {
  const wan = around === undefined ? "internet" : "street";
  return planInboundProbes(
    resolved(`
name: t
summary: For a test
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: "2001:db8:0:1::/64" }
  street: { ipv4: 100.64.0.0/24 }
  home: { ipv4: 192.168.1.0/24, ipv6: "2001:db8:0:2::/64" }
nodes:
  stun: { role: stun-server, on: internet }
  passer: { role: host, on: street, image: x }
  middlebox: { role: router, wan: ${wan}, lan: home, ${middlebox} }
${around === undefined ? "" : `  carrier: { role: router, wan: internet, lan: street, ${around} }\n`}${more}
  inside: { role: host, on: home, image: x }
`),
  );
}

const FORWARD = "forwards: [{ protocol: udp, port: 8080, to: inside, toPort: 80 }]";

describe("a forward", () => {
  test("is tried from outside, with the nearest port that leads nowhere", () => {
    expect(plan(`nat: home-router, ${FORWARD}`).inbound).toMatchObject([
      {
        router: "middlebox",
        kind: "forward",
        from: { node: "stun", ip: "198.18.0.2" },
        destination: { ip: "198.18.0.3", port: 8080 },
        target: { node: "inside", ip: "192.168.1.2", port: 80 },
        closedPort: 8081,
        needs: ["stun", "inside", "middlebox"],
      },
    ]);
  });

  test("has beside it a port that is neither forwarded nor drawn by the middlebox", () => {
    const more = "forwards: [{ protocol: udp, port: 8080, to: inside }, { protocol: udp, port: 8081, to: inside }]";
    expect(plan(`nat: home-router, ${more}`).inbound.map(({ closedPort }) => closedPort)).toEqual([8079, 8082]);
    const [drawing] = plan(`nat: { preset: symmetric, ports: 8000-9000 }, ${FORWARD}`).inbound;
    expect(drawing?.closedPort).toBe(7999);
  });

  test("of TCP is tried by TCP: a port forwarded for UDP is closed beside it, and what is declared for UDP counts not", () => {
    const more =
      "forwards: [{ protocol: tcp, port: 8080, to: inside, toPort: 80 }, { protocol: udp, port: 8081, to: inside }]";
    expect(plan(`nat: home-router, ${more}, firewall: { preset: open, outboundUdp: none }`).inbound).toMatchObject([
      {
        kind: "forward",
        protocol: "tcp",
        destination: { ip: "198.18.0.3", port: 8080 },
        target: { node: "inside", ip: "192.168.1.2", port: 80 },
        closedPort: 8081,
      },
      { kind: "forward", protocol: "udp", closedPort: 8082 },
    ]);
  });

  test("of a middlebox inside of another one is tried from between them", () => {
    const [probe] = plan(`nat: home-router, ${FORWARD}`, { around: "nat: carrier-grade" }).inbound;
    expect(probe?.from.node).toBe("passer");
    expect(probe?.needs).toEqual(["passer", "inside", "middlebox", "carrier"]);
  });

  test.each([
    ["forwards: [{ protocol: udp, port: 80, to: 192.168.1.77 }]", "nobody outside has a way to 192.168.1.77:80"],
  ])("that cannot be tried is told of: %s", (forward, reason) => {
    expect(plan(`nat: home-router, ${forward}`)).toEqual({
      inbound: [],
      notProbed: [{ router: "middlebox", lan: "outside", reason }],
    });
  });
});

test("a pinhole is tried at the inside address of each IP version, and from where it lets somebody in", () => {
  const walls = "firewall: { preset: stateful, pinholes: [{ protocol: udp, to: inside, port: 4191 }] }";
  expect(plan(`nat: none, ${walls}`).inbound).toMatchObject([
    { kind: "pinhole", destination: { ip: "192.168.1.2", port: 4191 }, closedPort: 4192, ipVersion: 4 },
    { kind: "pinhole", destination: { ip: "2001:db8:0:2::2", port: 4191 }, closedPort: 4192, ipVersion: 6 },
  ]);
});

test("a prefix that lets everything in is tried at the address that stands for a host, and has no closed port", () => {
  const [probe, ...others] = plan("prefixTranslation: { ipv4: 198.18.5.0/24 }, firewall: open").inbound;
  expect(others).toEqual([]);
  expect(probe).toMatchObject({
    kind: "prefix",
    destination: { ip: "198.18.5.2" },
    target: { node: "inside", ip: "192.168.1.2" },
  });
  expect(probe).not.toHaveProperty("closedPort");
});

test("a middlebox that declares no way in has nothing to prove", () => {
  expect(plan("nat: full-cone")).toEqual({ inbound: [], notProbed: [] });
});
