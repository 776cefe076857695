import { describe, expect, test } from "vitest";
import { encodeMobilityMessage, type MobilityMessage } from "../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityPacket } from "../../../agent/src/core/mip6/mobility-header.ts";
import { parameterProblem } from "../../support/parameter-problem.ts";
import { type Battlefield, counter, createBattlefield, OPEN, reports, undisturbed } from "./battlefield.ts";

const RUN_UNTIL = 4000;

/** Offer and HoTI have left, and nothing has come back. */
const UNANSWERED_AT = 1060;

const GUESSED_COOKIE = new Uint8Array(8).fill(0x66);

/** A guess, by an off-path attacker, of what the mobile node might have sent to its correspondent. */
function guess({ mn, cn }: Battlefield, message: MobilityMessage): Uint8Array {
  const endpoints = { source: mn.homeAddress, destination: cn.homeAddress };
  return encodeMobilityPacket(encodeMobilityMessage(message, endpoints), endpoints);
}

describe("S25: an ICMPv6 Parameter Problem that seems to be the correspondent's, with the right addresses and checksum", () => {
  test.each([
    {
      name: "a HoTI with a guessed cookie",
      message: { type: "home-test-init", homeInitCookie: GUESSED_COOKIE, options: [] } as const,
      quotedOctets: Infinity,
    },
    {
      name: "an offer with a guessed cookie",
      message: { type: "care-of-test-init-ice", careOfInitCookie: GUESSED_COOKIE, options: [] } as const,
      quotedOctets: Infinity,
    },
    {
      name: "nothing of the Mobility Header",
      message: { type: "home-test-init", homeInitCookie: GUESSED_COOKIE, options: [] } as const,
      quotedOctets: 40,
    },
    {
      name: "what every HoTI begins with, and no cookie",
      message: { type: "home-test-init", homeInitCookie: GUESSED_COOKIE, options: [] } as const,
      quotedOctets: 40 + 4,
    },
  ])("and quotes $name changes nothing", ({ message, quotedOctets }) => {
    const field = createBattlefield(OPEN);
    const { attacker, mn, cn, net } = field;
    field.connect();
    net.time.runUntil(UNANSWERED_AT);
    const quote = guess(field, message).subarray(0, quotedOctets);
    attacker.sendIpv6(parameterProblem(quote, { source: cn.homeAddress, destination: mn.homeAddress }));
    net.time.runUntil(RUN_UNTIL);
    expect(counter(mn, "dropped.refusal-of-nothing-sent")).toBe(1);
    expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
  });
});

test("S26: a Binding Error of status 2 that seems to be the correspondent's changes nothing when the correspondent answers", () => {
  const field = createBattlefield(OPEN);
  const { attacker, mn, cn, net } = field;
  field.connect();
  net.time.runUntil(UNANSWERED_AT);
  const endpoints = { source: cn.homeAddress, destination: mn.homeAddress };
  const error = { type: "binding-error", status: 2, homeAddress: "::", options: [] } as const;
  attacker.sendIpv6(encodeMobilityPacket(encodeMobilityMessage(error, endpoints), endpoints));
  net.time.runUntil(RUN_UNTIL);
  expect(reports(field)).toEqual(undisturbed(OPEN, RUN_UNTIL));
});
