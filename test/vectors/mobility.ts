/**
 * Byte vectors of the Mobile IPv6 messages and of profile MICE-1 (SPEC 3.4 and 8.3). Two independent programs made
 * them; blanks and line breaks are cosmetic.
 */

import { fromHex, toHex } from "./hex.ts";

/** The participants of all vectors. */
export const HOME_ADDRESS_L = "2001:db8:a::100";
export const HOME_ADDRESS_R = "2001:db8:b::200";

/** From the mobile node L to the correspondent R, and back. */
export const L_TO_R = { source: HOME_ADDRESS_L, destination: HOME_ADDRESS_R };
export const R_TO_L = { source: HOME_ADDRESS_R, destination: HOME_ADDRESS_L };

/** SPEC 3.4: keys and tokens. */
export const RETURN_ROUTABILITY = {
  nodeKey: fromHex("000102030405060708090a0b0c0d0e0f10111213"),
  nonce: fromHex("0102030405060708"),
  homeToken: fromHex("ac4effdf8cba2374"),
  careOfAddress: "2001:db8:c::5",
  careOfToken: fromHex("8970832cb2760363"),
  bindingKey: fromHex("a238451e8ed191284c9be748809b6c3eede6c70c"),
  deletionKey: fromHex("19c340a1d9667b67949805bda814e31ddf1f9d19"),
  /** Care-of token of a CoTI-ICE: made for the home address. */
  iceCareOfToken: fromHex("6edd530aaadfdc0a"),
  iceBindingKey: fromHex("82ded5106a977f226761f7f1a6dc6078e39c7b64"),
};

/** SPEC 3.4: classic BU, sequence 1, A, lifetime 420 s, nonce indices 1 and 1, care-of address 2001:db8:c::5. */
export const CLASSIC_BINDING_UPDATE = fromHex("3b0305002563000180000069040400010001050c3c714de01013498d72c65b36");

/** SPEC 8.3: the option of an offer with three candidates. */
export const OFFER_OPTION = fromHex(`
  127a000388620000101112131415161718191a1b1c1d1e1fa1b2c300
  40018101110000007effffff0a0100059c41000000000000
  400182011100000064ffffffc633640aee499c410a010005
  600304011100000000ffffff20010db8000a000000000000000001009c41ee4900000000000000000000ffffc633640a`);

/** SPEC 8.3: that option in a CoTI-ICE from L to R, cookie c0..c7. */
export const CARE_OF_TEST_INIT_ICE = fromHex(`3b1116003f3b0000c0c1c2c3c4c5c6c7 ${toHex(OFFER_OPTION)} 01020000`);

/** SPEC 8.3: the option of the answer. */
export const ANSWER_OPTION = fromHex(`
  127a0003b1ae0000404142434445464748494a4b4c4d4e4f0d0e0f00
  40018101110000007effffffc0a802079c42000000000000
  400182011100000064ffffffcb007114f2329c42c0a80207
  600304011100000000ffffff20010db8000b000000000000000002009c42f23200000000000000000000ffffcb007114`);

/** SPEC 8.3: that option in a CoT-ICE from R to L, nonce index 1, the care-of token of A-6. */
export const CARE_OF_TEST_ICE = fromHex(
  `3b121700f55e0001c0c1c2c3c4c5c6c76edd530aaadfdc0a ${toHex(ANSWER_OPTION)} 01020000`,
);

/** SPEC 8.3: the option of an updated offer, one candidate and the selected remote candidate. */
export const UPDATED_OFFER_OPTION = fromHex(`
  124a0002cb220000101112131415161718191a1b1c1d1e1fa1b2c300
  400182011100000064ffffffc633640aee499c410a010005
  40018f011100000000000000cb007114f232000000000000`);

/** SPEC 8.3: M-ICE BU, sequence 7, care-of address 198.51.100.10 as IPv4-mapped, without MIP-ICE option. */
export const ICE_BINDING_UPDATE = fromHex(`
  3b06050065cc0007800000690100031000000000000000000000ffffc633640a04040001000101020000050c5b932adde28c2d36a5800660`);

/** SPEC 8.3: the BA to it, status 0, lifetime 420 s. */
export const ICE_BINDING_ACKNOWLEDGEMENT = fromHex("3b0306007926000000070069010400000000050c1c390d590f8d13b9ffbc9392");

/** Every Mobility Header above with the addresses of its checksum. */
export const MOBILITY_HEADERS = [
  { name: "classic Binding Update", header: CLASSIC_BINDING_UPDATE, endpoints: L_TO_R },
  { name: "CoTI-ICE", header: CARE_OF_TEST_INIT_ICE, endpoints: L_TO_R },
  { name: "CoT-ICE", header: CARE_OF_TEST_ICE, endpoints: R_TO_L },
  { name: "M-ICE Binding Update", header: ICE_BINDING_UPDATE, endpoints: L_TO_R },
  { name: "M-ICE Binding Acknowledgement", header: ICE_BINDING_ACKNOWLEDGEMENT, endpoints: R_TO_L },
];
