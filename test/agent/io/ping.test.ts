import { describe, expect, test } from "vitest";
import { parsePing, pingArguments } from "../../../agent/src/io/ping.ts";

test("milliseconds become the seconds that ping wants, and late answers are waited for until a deadline", () => {
  const request = { to: "2001:db8:b::2", count: 5, intervalMs: 20, timeoutMs: 1500 };
  expect(pingArguments(request).join(" ")).toBe("-6 -n -c 5 -i 0.02 -w 2 2001:db8:b::2");
  expect(pingArguments({ ...request, to: "198.18.0.1" })[0]).toBe("-4");
});

describe("what ping prints", () => {
  test("gives round trips in the order of sending, with gaps for what never came back", () => {
    const output = `PING 2001:db8:b::2(2001:db8:b::2) 56 data bytes
64 bytes from 2001:db8:b::2: icmp_seq=1 ttl=62 time=0.410 ms
64 bytes from 2001:db8:b::2: icmp_seq=4 ttl=62 time=11 ms
64 bytes from 2001:db8:b::2: icmp_seq=3 ttl=62 time=0.123 ms
64 bytes from 2001:db8:b::2: icmp_seq=3 ttl=62 time=0.150 ms (DUP!)
From 2001:db8:a::1 icmp_seq=2 Destination unreachable: Address unreachable

--- 2001:db8:b::2 ping statistics ---
4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 61ms
`;
    expect(parsePing(output, 4)).toEqual({ sent: 4, received: 3, duplicates: 1, rttMs: [0.41, null, 0.123, 11] });
  });

  test("gives nothing but losses when ping could not even start", () => {
    expect(parsePing("", 2)).toEqual({ sent: 2, received: 0, duplicates: 0, rttMs: [null, null] });
  });

  test("takes no answers to requests that were not asked for", () => {
    const line = "64 bytes from ::1: icmp_seq=65537 ttl=62 time=0.1 ms";
    const output = `${line}\n${line} (DUP!)\n`;
    expect(parsePing(output, 1)).toEqual({ sent: 1, received: 0, duplicates: 0, rttMs: [null] });
  });
});
