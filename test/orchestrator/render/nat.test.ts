import type { NatProfile } from "@testbed/agent/control";
import { describe, expect, test } from "vitest";
import { renderNat } from "../../../orchestrator/render/nat.ts";
import type { PortForward } from "../../../orchestrator/topology/model/resolved.ts";
import { resolved, routerOf, twoHomes } from "../topology/sample.ts";

/** Rules of a NAT with only five ports to draw, to keep the text short. */
function text(change: Partial<NatProfile>, forwards: readonly PortForward[] = []): string {
  const router = routerOf(resolved(twoHomes("nat: port-restricted-cone", "nat: symmetric")), "nat-a");
  if (router.nat === undefined) throw new Error("no translation");
  return (
    renderNat({
      ...router,
      forwards,
      nat: { ...router.nat, ports: { first: 50000, last: 50004 }, seed: 1, ...change },
    }) ?? ""
  );
}

/** The rule that preserves a free inside port. */
const KEPT =
  "udp sport != @used add @port_claims { udp sport limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4;";

/** The rule that uses a drawn port if it is free. */
const TAKEN_IF_FREE =
  "meta l4proto udp ct mark != @slots add @slot_claims { ct mark limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4:ct mark map @drawn;";

/** The rules of one chain of the table. */
function chain(table: string, name: string): readonly string[] {
  const [, body = ""] = table.split(`  chain ${name} {\n`);
  return (body.split("\n  }\n")[0] ?? "").split("\n").map((line) => line.trim());
}

test("a middlebox that keeps ports and filters by address, in full", () => {
  expect(text({ filtering: "address-dependent", hairpinning: true })).toMatchInlineSnapshot(`
    "table ip mice_nat
    delete table ip mice_nat
    table ip mice_nat {
      # Ports to draw.
      map drawn {
        type mark : inet_service
        elements = {
          1 : 50003, 2 : 50001, 3 : 50002, 4 : 50004, 5 : 50000,
        }
      }
      # Places of \`drawn\` that are taken.
      set slots {
        type mark
        flags dynamic, timeout
        timeout 120s
      }
      # Outside ports that are taken.
      set used {
        type inet_service
        flags dynamic, timeout
        timeout 120s
      }
      # Places of \`drawn\` that a new mapping is about to take.
      set slot_claims {
        type mark
        flags dynamic, timeout
        timeout 1s
      }
      # Inside ports that a new mapping is about to keep outside.
      set port_claims {
        type inet_service
        flags dynamic, timeout
        timeout 1s
      }
      # An endpoint inside, with all that its mapping depends on: its outside port.
      map own {
        type ipv4_addr . inet_service : inet_service
        flags dynamic, timeout
        timeout 120s
      }
      # An outside port: its endpoint inside.
      map ext {
        type inet_service : ipv4_addr . inet_service
        flags dynamic, timeout
        timeout 120s
      }
      # An outside port, and whom it was used towards.
      set peers {
        type inet_service . ipv4_addr
        flags dynamic, timeout
        timeout 120s
      }

      chain outward {
        type nat hook postrouting priority srcnat - 5; policy accept;
        oifname "internet" ip saddr != 198.18.0.4 jump translate;
        iifname { "home-a" } oifname { "home-a" } ct status dnat jump translate;
      }

      chain translate {
        meta l4proto != { tcp, udp } snat ip to 198.18.0.4;
        meta l4proto udp snat ip to 198.18.0.4:ct original ip saddr . ct original proto-src map @own;
        udp sport != @used add @port_claims { udp sport limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4;
        meta l4proto udp ct mark set jhash ct original ip saddr . ct original proto-src mod 5 seed 0x62e79735 offset 1;
        meta l4proto udp ct mark != @slots add @slot_claims { ct mark limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4:ct mark map @drawn;
        meta l4proto udp ct mark set jhash ct original ip saddr . ct original proto-src mod 5 seed 0xb5c50952 offset 1;
        meta l4proto udp ct mark != @slots add @slot_claims { ct mark limit rate 1/hour burst 1 packets } snat ip to 198.18.0.4:ct mark map @drawn;
        meta l4proto udp ct mark set jhash ct original ip saddr . ct original proto-src mod 5 seed 0x384a2c49 offset 1;
        meta l4proto udp snat ip to 198.18.0.4:ct mark map @drawn;
      }

      chain learn {
        type filter hook postrouting priority srcnat + 50; policy accept;
        meta l4proto != udp accept;
        ct original ip saddr 198.18.0.4 accept;
        ct direction original ip saddr 198.18.0.4 jump learn_opened_inside;
        oifname "internet" ct direction reply ip saddr 198.18.0.4 jump learn_opened_outside;
        iifname "internet" oifname { "home-a" } ct original ip daddr 198.18.0.4 jump learn_inbound;
        iifname "internet" oifname { "home-a" } ct reply ip daddr 198.18.0.4 jump learn_inbound;
      }

      chain learn_opened_inside {
        meta l4proto udp update @own { ct original ip saddr . ct original proto-src : udp sport };
        meta l4proto udp update @ext { udp sport : ct original ip saddr . ct original proto-src };
        update @used { udp sport };
        ct mark != 0 update @slots { ct mark };
        update @peers { udp sport . ip daddr };
      }

      chain learn_opened_outside {
        meta l4proto udp update @own { ct reply ip saddr . ct reply proto-src : udp sport };
        meta l4proto udp update @ext { udp sport : ct reply ip saddr . ct reply proto-src };
        update @used { udp sport };
        ct mark != 0 update @slots { ct mark };
        update @peers { udp sport . ip daddr };
      }

      chain learn_inbound {
        meta l4proto udp ct status dnat update @own { ip daddr . udp dport : ct original proto-dst };
        meta l4proto udp ct status dnat update @ext { ct original proto-dst : ip daddr . udp dport };
        meta l4proto udp ct status dnat update @used { ct original proto-dst };
        meta l4proto udp ct status dnat update @peers { ct original proto-dst . ip saddr };
        meta l4proto udp ct status snat update @own { ip daddr . udp dport : ct reply proto-dst };
        meta l4proto udp ct status snat update @ext { ct reply proto-dst : ip daddr . udp dport };
        meta l4proto udp ct status snat update @used { ct reply proto-dst };
        meta l4proto udp ct status snat update @peers { ct reply proto-dst . ip saddr };
        ct mark != 0 update @slots { ct mark };
      }

      chain inward {
        type nat hook prerouting priority dstnat - 5; policy accept;
        iifname "internet" ip daddr 198.18.0.4 udp dport . ip saddr @peers dnat ip to udp dport map @ext;
        iifname { "home-a" } ip daddr 198.18.0.4 meta l4proto udp dnat ip to udp dport map @ext;
      }
    }
    "
  `);
});

describe("a forwarded port", () => {
  const FORWARDS = [
    { protocol: "udp", port: 50001, to: "192.168.1.9", toPort: 3478 },
    { protocol: "tcp", port: 80, to: "192.168.1.9", toPort: 8080 },
  ] as const;

  test("leads in, is sent from, and is neither kept nor drawn by anybody else", () => {
    const table = text({ hairpinning: true }, FORWARDS);
    expect(chain(table, "inward").slice(1, 3)).toEqual([
      'iifname "internet" ip daddr 198.18.0.4 udp dport 50001 dnat ip to 192.168.1.9:3478;',
      'iifname { "home-a" } ip daddr 198.18.0.4 udp dport 50001 dnat ip to 192.168.1.9:3478;',
    ]);
    const translate = chain(table, "translate");
    expect(translate[0]).toBe("ip saddr 192.168.1.9 udp sport 3478 snat ip to 198.18.0.4:50001;");
    expect(translate).toContain(`udp sport != { 50001 } ${KEPT}`);
    expect(table).toContain("1 : 50003, 2 : 50002, 3 : 50004, 4 : 50000,");
  });

  test("does not lead in from inside without hairpinning", () => {
    expect(chain(text({}, FORWARDS), "inward").filter((line) => line.includes("home-a"))).toEqual([]);
  });

  test("never expires", () => {
    const [, first] = chain(text({ inboundRefresh: false }, FORWARDS), "expiry");
    expect(first).toBe("udp dport { 50001 } accept;");
  });
});

describe("what each axis changes", () => {
  test("parity: even inside ports draw from the even ports, which stand in front, and odd ones from the odd ones", () => {
    const table = text({ parity: "preserve" });
    expect(table).toContain("1 : 50002, 2 : 50004, 3 : 50000, 4 : 50003, 5 : 50001,");
    const key = "ct original ip saddr . ct original proto-src";
    expect(chain(table, "translate").slice(2)).toEqual([
      KEPT,
      `udp sport & 1 == 0 ct mark set jhash ${key} mod 3 seed 0x62e79735 offset 1;`,
      `udp sport & 1 == 1 ct mark set jhash ${key} mod 2 seed 0x62e79735 offset 4;`,
      TAKEN_IF_FREE,
      `udp sport & 1 == 0 ct mark set jhash ${key} mod 3 seed 0xb5c50952 offset 1;`,
      `udp sport & 1 == 1 ct mark set jhash ${key} mod 2 seed 0xb5c50952 offset 4;`,
      TAKEN_IF_FREE,
      `udp sport & 1 == 0 ct mark set jhash ${key} mod 3 seed 0x384a2c49 offset 1;`,
      `udp sport & 1 == 1 ct mark set jhash ${key} mod 2 seed 0x384a2c49 offset 4;`,
      "meta l4proto udp snat ip to 198.18.0.4:ct mark map @drawn;",
    ]);
  });

  test.each([
    ["endpoint-independent", "ct original ip saddr . ct original proto-src"],
    ["address-dependent", "ct original ip saddr . ct original proto-src . ct original ip daddr"],
    [
      "address-and-port-dependent",
      "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst",
    ],
  ] as const)("%s mapping: the key of an endpoint", (mapping, key) => {
    const translate = chain(text({ mapping, portAssignment: "random" }), "translate");
    expect(translate[1]).toBe(`meta l4proto udp snat ip to 198.18.0.4:${key} map @own;`);
    expect(translate[2]).toMatch(
      new RegExp(`^meta l4proto udp ct mark set jhash ${key} mod 5 seed 0x[0-9a-f]+ offset 1;$`),
    );
  });

  test.each([
    [
      "endpoint-independent",
      ['iifname "internet" ip daddr 198.18.0.4 meta l4proto udp dnat ip to udp dport map @ext;'],
    ],
    [
      "address-dependent",
      ['iifname "internet" ip daddr 198.18.0.4 udp dport . ip saddr @peers dnat ip to udp dport map @ext;'],
    ],
    ["address-and-port-dependent", []],
  ] as const)("%s filtering: the way in", (filtering, rules) => {
    expect(chain(text({ filtering }), "inward")).toEqual([
      "type nat hook prerouting priority dstnat - 5; policy accept;",
      ...rules,
    ]);
  });

  test("hairpinning: the way round, in and out by the inside", () => {
    const table = text({ hairpinning: true });
    expect(chain(table, "inward")).toContain(
      'iifname { "home-a" } ip daddr 198.18.0.4 meta l4proto udp dnat ip to udp dport map @ext;',
    );
    expect(chain(table, "outward")).toContain(
      'iifname { "home-a" } oifname { "home-a" } ct status dnat jump translate;',
    );
    expect(text({ hairpinning: false })).not.toContain("ct status dnat jump");
  });

  test("port assignment: kept where free, or always drawn", () => {
    expect(chain(text({ portAssignment: "preserve" }), "translate")).toContain(KEPT);
    expect(chain(text({ portAssignment: "random" }), "translate")).not.toContain(KEPT);
  });

  test("lifetime: of everything that is remembered, and of no claim", () => {
    const sets = text({ udpLifetimeSec: 30 }).matchAll(/(?:map|set) (\w+) \{[^}]*timeout (\d+)s/g);
    expect(Object.fromEntries([...sets].map(([, name, seconds]) => [name, Number(seconds)]))).toEqual({
      slots: 30,
      used: 30,
      slot_claims: 1,
      port_claims: 1,
      own: 30,
      ext: 30,
    });
  });

  test.each([
    ["endpoint-independent", "udp dport != @used"],
    ["address-dependent", "udp dport . ip saddr != @peers"],
    ["address-and-port-dependent", "udp dport . ip saddr . udp sport != @peers"],
  ] as const)("refresh from inside only, %s filtering: forgotten means dropped", (filtering, impairment) => {
    expect(chain(text({ filtering, inboundRefresh: false }), "expiry")).toEqual([
      "type filter hook prerouting priority dstnat - 10; policy accept;",
      `iifname "internet" ip daddr 198.18.0.4 ct state established meta l4proto udp ${impairment} drop;`,
    ]);
    expect(text({ filtering, inboundRefresh: true })).not.toContain("chain expiry");
  });

  test("the seed alone changes the drawn ports and their hash", () => {
    expect(text({ seed: 1 })).toBe(text({ seed: 1 }));
    expect(text({ seed: 1 })).not.toBe(text({ seed: 2 }));
  });
});

test("a middlebox that does not translate has no table", () => {
  const router = routerOf(resolved(twoHomes("nat: port-restricted-cone", "nat: symmetric")), "nat-a");
  const { nat, ...plain } = router;
  expect(nat).toBeDefined();
  expect(renderNat(plain)).toBeUndefined();
});

test("no line closes two braces, which nft 1.0.6 refuses", () => {
  expect(
    text({ hairpinning: true })
      .split("\n")
      .filter((line) => /\}\s*\}/.test(line)),
  ).toEqual([]);
});

describe("ports that hosts share", () => {
  test("the kernel's own masquerading, in full, with a forward of each protocol", () => {
    const forwards = [
      { protocol: "udp", port: 4500, to: "192.168.1.2", toPort: 40000 },
      { protocol: "tcp", port: 8080, to: "192.168.1.2", toPort: 80 },
    ] as const;
    expect(text({ portAssignment: "overload" }, forwards)).toMatchInlineSnapshot(`
      "table ip mice_nat
      delete table ip mice_nat
      table ip mice_nat {
        chain outward {
          type nat hook postrouting priority srcnat - 5; policy accept;
          oifname "internet" ip saddr 192.168.1.2 udp sport 40000 snat ip to 198.18.0.4:4500;
          oifname "internet" ip saddr 192.168.1.2 tcp sport 80 snat ip to 198.18.0.4:8080;
          oifname "internet" ip saddr != 198.18.0.4 masquerade;
        }

        chain inward {
          type nat hook prerouting priority dstnat - 5; policy accept;
          iifname "internet" ip daddr 198.18.0.4 udp dport 4500 dnat ip to 192.168.1.2:40000;
          iifname "internet" ip daddr 198.18.0.4 tcp dport 8080 dnat ip to 192.168.1.2:80;
        }
      }
      "
    `);
  });

  test("no chain inward without forwards", () => {
    expect(text({ portAssignment: "overload" })).not.toContain("inward");
  });
});

test("ports that are counted up: the same chains, with a counter in place of the hash", () => {
  const draws = chain(text({ portAssignment: "sequential" }), "translate").filter((rule) =>
    rule.includes("ct mark set"),
  );
  expect(draws).toEqual(Array(3).fill("meta l4proto udp ct mark set numgen inc mod 5 offset 1;"));
});
