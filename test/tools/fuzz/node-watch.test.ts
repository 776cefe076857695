import { describe, expect, test } from "vitest";
import type { SocketAddress } from "../../../agent/src/core/address.ts";
import type { NodeEvent } from "../../../agent/src/core/events.ts";
import { NodeWatch } from "../../../tools/fuzz/node-watch.ts";
import type { Cause } from "../../../tools/fuzz/session-net.ts";
import { BARE_REQUEST, FINGERPRINTED_REQUEST } from "../../vectors/mice-stun.ts";

const LOCAL: SocketAddress = { ip: "198.18.0.10", port: 40_001 };
const AGENT: SocketAddress = { ip: "198.18.0.2", port: 4191 };
const OTHER: SocketAddress = { ip: "198.18.0.99", port: 9 };
/** A whole IPv6 packet without payload. */
const DATA = Uint8Array.from({ length: 40 }, (_, i) => (i === 0 ? 0x60 : 0));

function watchOf() {
  const watch = new NodeWatch("mn", [AGENT]);
  const receive = (count: number): void => {
    for (let i = 0; i < count; i++) watch.receives({ local: LOCAL, remote: OTHER, payload: BARE_REQUEST });
  };
  const give = (remote: SocketAddress, payload: Uint8Array, cause: Cause = "packet"): void =>
    watch.gives(0, { cause, events: [], transmits: [{ local: LOCAL, remote, payload }] });
  const report = (event: NodeEvent): void => watch.gives(0, { cause: "packet", events: [event], transmits: [] });
  return { receive, give, report };
}

const candidate = { type: "host", address: OTHER, priority: 1 } as const;
const offer: NodeEvent = { type: "offer-received", peer: "2001:db8:b::200", candidates: [candidate], isRestart: false };

describe("the watch of a node", () => {
  test("lets it send to what it is configured with, and one packet to a stranger for each that came", () => {
    const { receive, give } = watchOf();
    give(AGENT, DATA);
    receive(2);
    give(OTHER, DATA);
    give(OTHER, DATA);
    expect(() => give(OTHER, DATA)).toThrow("mn: ipv6 of 40 octets to 198.18.0.99:9, which nothing proved");
  });

  test("lets it send seven checks to a candidate, and no data", () => {
    const { give, report } = watchOf();
    report(offer);
    expect(() => give(OTHER, DATA, "timer")).toThrow("which nothing proved");
    for (let i = 0; i < 7; i++) give(OTHER, FINGERPRINTED_REQUEST, "timer");
    expect(() => give(OTHER, FINGERPRINTED_REQUEST, "timer")).toThrow("which nothing proved");
  });

  test("lets it send data to the end of a valid pair", () => {
    const { give, report } = watchOf();
    report({ type: "pair-valid", peer: "2001:db8:b::200", pair: { local: candidate, remote: candidate } });
    for (let i = 0; i < 20; i++) give(OTHER, DATA);
  });

  test.each([
    ["packet", "mn: packets sent because of 0: 129, more than 128"],
    ["timer", "mn: packets sent by its timer within 0 ms: 129, more than 128"],
  ] as const)("counts what a %s makes it send", (cause, message) => {
    const { give } = watchOf();
    const sendMany = (): void => {
      for (let i = 0; i < 129; i++) give(AGENT, DATA, cause);
    };
    expect(sendMany).toThrow(message);
  });
});
