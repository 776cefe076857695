import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { NodeEvent } from "../../../../agent/src/core/events.ts";
import type { Datagram, InstantMs, Transmit } from "../../../../agent/src/core/machine.ts";
import type { NodeMachine } from "../../../../agent/src/core/node/node-machine.ts";
import { createDriver } from "../../../../agent/src/io/node/driver.ts";

const local = { ip: "192.168.1.2", port: 4191 };
const remote = { ip: "198.18.0.10", port: 4191 };
const transmit = (n: number): Transmit => ({ local, remote, payload: Uint8Array.of(n) });
const event: NodeEvent = { type: "registration-failed", reason: "test" };

/** A machine whose queues and next wake-up are set by the test. */
class ScriptedMachine implements NodeMachine {
  readonly inputs: string[] = [];
  readonly transmits: Transmit[] = [];
  readonly packets: Uint8Array[] = [];
  readonly events: NodeEvent[] = [];
  wakeAt: InstantMs | undefined;
  onTimeout: (now: InstantMs) => void = () => (this.wakeAt = undefined);

  start(now: InstantMs): void {
    this.inputs.push(`start ${now}`);
  }
  handleDatagram(now: InstantMs, { payload }: Datagram): void {
    this.inputs.push(`datagram ${payload.join()} ${now}`);
  }
  handleTunPacket(now: InstantMs, packet: Uint8Array): void {
    this.inputs.push(`packet ${packet.join()} ${now}`);
  }
  handleTimeout(now: InstantMs): void {
    this.inputs.push(`timeout ${now}`);
    this.onTimeout(now);
  }
  pollTransmit = (): Transmit | undefined => this.transmits.shift();
  pollTunPacket = (): Uint8Array | undefined => this.packets.shift();
  pollEvent = (): NodeEvent | undefined => this.events.shift();
  pollTimeout = (): InstantMs | undefined => this.wakeAt;
  counters = (): Readonly<Record<string, number>> => ({});
}

function driverUnderTest(now = () => performance.now()) {
  const machine = new ScriptedMachine();
  const out: string[] = [];
  let flushed = 0;
  const driver = createDriver(machine, {
    now,
    send: ({ payload }) => out.push(`send ${payload.join()}`),
    writeTun: (packet) => out.push(`tun ${packet.join()}`),
    flush: () => void (flushed = out.length),
    report: (atMs, { type }) => out.push(`report ${type} ${atMs}`),
  });
  return { machine, driver, out, flushed: () => flushed };
}

beforeEach(() => void vi.useFakeTimers({ now: 0, toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

describe("the driver", () => {
  test("hands inputs over with their time and drains every queue after each", () => {
    const { machine, driver, out } = driverUnderTest();
    machine.transmits.push(transmit(1), transmit(2));
    machine.packets.push(Uint8Array.of(3));
    machine.events.push(event);
    driver.start();
    expect(machine.inputs).toEqual(["start 0"]);
    expect(out).toEqual(["send 1", "tun 3", "report registration-failed 0", "send 2"]);
    vi.advanceTimersByTime(5);
    driver.handleDatagrams([{ local, remote, payload: Uint8Array.of(9) }]);
    driver.handleTunPackets([Uint8Array.of(8)]);
    driver.tell((told, now) => told.inputs.push(`told ${now}`));
    expect(machine.inputs).toEqual(["start 0", "datagram 9 5", "packet 8 5", "told 5"]);
  });

  test("takes a batch at one time, then drains, and flushes when all is drained", () => {
    const { machine, driver, out, flushed } = driverUnderTest();
    machine.transmits.push(transmit(1), transmit(2));
    driver.handleTunPackets([Uint8Array.of(1), Uint8Array.of(2)]);
    expect(machine.inputs).toEqual(["packet 1 0", "packet 2 0"]);
    expect(out).toEqual(["send 1", "send 2"]);
    expect(flushed()).toBe(2);
  });

  test("wakes the machine when it asked for it", () => {
    const { machine, driver } = driverUnderTest();
    machine.wakeAt = 20;
    driver.start();
    vi.advanceTimersByTime(19);
    expect(machine.inputs).toEqual(["start 0"]);
    vi.advanceTimersByTime(1);
    expect(machine.inputs).toEqual(["start 0", "timeout 20"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("arms one timer, which follows the machine to an earlier wake-up", () => {
    const { machine, driver } = driverUnderTest();
    machine.wakeAt = 100;
    driver.start();
    machine.wakeAt = 10;
    driver.handleTunPackets([Uint8Array.of(1)]);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(10);
    expect(machine.inputs.at(-1)).toBe("timeout 10");
  });

  test("wakes the machine at once when the clock has jumped, and arms its timer by the clock as it is then", () => {
    let jumpedMs = 0;
    const { machine, driver } = driverUnderTest(() => performance.now() + jumpedMs);
    machine.wakeAt = 5000;
    driver.start();
    vi.advanceTimersByTime(1000);
    jumpedMs = 60_000;
    machine.onTimeout = (now) => (machine.wakeAt = now < 61_200 ? 61_200 : undefined);
    driver.clockJumped();
    expect(machine.inputs.at(-1)).toBe("timeout 61000");
    vi.advanceTimersByTime(200);
    expect(machine.inputs.at(-1)).toBe("timeout 61200");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("lets the timer stand when the wake-up moves later, and arms it again when it fires early", () => {
    const { machine, driver } = driverUnderTest();
    machine.onTimeout = (now) => (machine.wakeAt = now < 50 ? 50 : undefined);
    machine.wakeAt = 10;
    driver.start();
    machine.wakeAt = 50;
    driver.handleTunPackets([Uint8Array.of(1)]);
    vi.advanceTimersByTime(100);
    expect(machine.inputs.filter((input) => input.startsWith("timeout"))).toEqual(["timeout 10", "timeout 50"]);
  });

  test("a machine that always has more does not keep sockets and timers waiting", () => {
    const { machine, driver, out } = driverUnderTest();
    machine.pollTransmit = () => transmit(1);
    driver.start();
    const sentAtOnce = out.length;
    expect(sentAtOnce).toBeLessThan(5000);
    vi.advanceTimersByTime(2);
    expect(out.length).toBeGreaterThan(sentAtOnce);
  });

  test("a wake-up weeks ahead does not overflow the timer", () => {
    const { machine, driver } = driverUnderTest();
    machine.wakeAt = 2 ** 33;
    driver.start();
    vi.advanceTimersByTime(1000);
    expect(machine.inputs).toEqual(["start 0"]);
  });

  test("stopped, it feeds nothing more", () => {
    const { machine, driver } = driverUnderTest();
    machine.wakeAt = 10;
    driver.start();
    driver.stop();
    driver.handleTunPackets([Uint8Array.of(1)]);
    vi.advanceTimersByTime(100);
    expect(machine.inputs).toEqual(["start 0"]);
  });
});
