/**
 * Processors that stay awake while packets pass. One that sleeps between two packets is woken for the next, which on a
 * virtual machine is half of what an agent adds to a packet's way (measured: 88 to 112 µs of two agents, 41 to 53 with
 * nobody asleep), and is the machine's share, not the network's that the lab is.
 */

import { closeSync, openSync, writeSync } from "node:fs";

/** Whoever holds it open says how many µs a processor may take to wake up, as a native 32-bit integer. For root only. */
const LATENCY_REQUEST = "/dev/cpu_dma_latency";

/** Processors stay awake for this long after a packet, up to twice that. */
const HOLD_MS = 50;

/** Nor longer at a stretch than this many times: what goes on for a minute is not to heat the machine for hours. */
const MOST_HOLDS = 1200;

export interface Wakefulness {
  /** A packet has passed. */
  touch(): void;
  release(): void;
}

/** Takes back the request that processors stay awake. */
type Release = () => void;

/** `request` gives nothing where nobody may ask for it: then processors sleep as they like, and it is not asked again. */
export function createWakefulness(request: () => Release | undefined = requestNoSleep): Wakefulness {
  let isForbidden = false;
  let isTouched = false;
  let timer: NodeJS.Timeout | undefined;
  let letSleep: Release | undefined;
  let holds = 0;

  const sleepAgain = (): void => {
    letSleep?.();
    letSleep = undefined;
  };
  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
    sleepAgain();
  };
  const look = (): void => {
    if (!isTouched) {
      end();
      return;
    }
    isTouched = false;
    holds += 1;
    if (holds === MOST_HOLDS) sleepAgain();
  };
  return {
    touch() {
      isTouched = true;
      if (timer !== undefined || isForbidden) return;
      letSleep = request();
      isForbidden = letSleep === undefined;
      if (isForbidden) return;
      holds = 0;
      timer = setInterval(look, HOLD_MS).unref();
    },
    release: end,
  };
}

function requestNoSleep(): Release | undefined {
  try {
    const fd = openSync(LATENCY_REQUEST, "r+");
    writeSync(fd, new Uint8Array(Int32Array.of(0).buffer));
    return () => closeSync(fd);
  } catch {
    return undefined;
  }
}
