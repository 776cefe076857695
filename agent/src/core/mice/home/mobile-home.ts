/** The home of a mobile node: the reverse tunnel to its home agent, and the registration there. */

import { canonicalAddress } from "../../address.ts";
import type { InstantMs } from "../../machine.ts";
import { HomeRegistration } from "../../mip6/home-registration.ts";
import type { HomeAgentAccess } from "../../node/node-machine.ts";
import type { Outbox } from "../../node/outbox.ts";
import type { Home } from "./home.ts";
import { createReverseTunnel } from "./reverse-tunnel.ts";

export interface MobileHomeConfig {
  readonly homeAddress: string;
  readonly homeAgent: HomeAgentAccess;
  readonly natKeepaliveMs: number;
  readonly registrationKey?: Uint8Array;
  /** Of the first registration, 0..65535. */
  readonly firstSequence: number;
  /** Unix time of instant 0 in milliseconds. */
  readonly clockOriginMs: number;
}

/** Updates unanswered over one IP version before the other is tried (SPEC 4.2). */
const UNANSWERED_BEFORE_OTHER_VERSION = 3;

/** Makes a home that has no sockets yet. */
export function createMobileHome(config: MobileHomeConfig, outbox: Outbox): Home {
  const { homeAddress, homeAgent, natKeepaliveMs, registrationKey, firstSequence, clockOriginMs } = config;
  const agentAddress = canonicalAddress(homeAgent.address);
  const tunnel = createReverseTunnel(homeAgent.tunnel, outbox);
  const registration = new HomeRegistration({
    homeAddress,
    homeAgentAddress: agentAddress,
    natKeepaliveMs,
    firstSequence,
    clockOriginMs,
    ...(registrationKey && { key: registrationKey }),
  });
  const register = (now: InstantMs): void => {
    const local = tunnel.ends?.local;
    if (local !== undefined) registration.retarget(now, local);
    else outbox.emit({ type: "registration-failed", reason: "no socket of an IP version that the home agent has" });
  };
  return {
    agentAddress,
    get isReady() {
      return registration.registration !== undefined;
    },
    get tunnelSocket() {
      return tunnel.ends?.local;
    },
    settleAt(now, sockets) {
      tunnel.useSockets(sockets);
      register(now);
    },
    confirm: (now) => registration.confirm(now),
    leave: (now) => registration.deregister(now),
    takeAcknowledgement: (now, message, header) => registration.handleAcknowledgement(now, message, header),
    isAgent: (remote) => tunnel.isHomeAgent(remote),
    send: (packet) => tunnel.send(packet),
    sendRelayed(transmit) {
      if (transmit.local.ip !== homeAddress) return false;
      tunnel.sendDatagram(transmit);
      return true;
    },
    advance() {
      let hasRegistered = false;
      for (let packet = registration.pollPacket(); packet !== undefined; packet = registration.pollPacket())
        tunnel.send(packet);
      for (let event = registration.pollEvent(); event !== undefined; event = registration.pollEvent()) {
        outbox.emit(event);
        hasRegistered ||= event.type === "registered";
      }
      return hasRegistered;
    },
    handleTimeout(now) {
      registration.handleTimeout(now);
      if (registration.unanswered >= UNANSWERED_BEFORE_OTHER_VERSION && tunnel.tryNext()) register(now);
    },
    pollTimeout: () => registration.pollTimeout(),
  };
}
