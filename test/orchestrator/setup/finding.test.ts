import { expect, test } from "vitest";
import { REQUIRED_PROGRAMS } from "../../../orchestrator/runtime/netns/required-programs.ts";
import { type Finding, formatFindings, isComplete } from "../../../orchestrator/setup/finding.ts";
import { programFindings } from "../../../orchestrator/setup/netns-setup.ts";

const OK: Finding = { state: "ok", text: "Docker 20.10.24 answers" };
const NO_TUN: Finding = { state: "missing", text: "/dev/net/tun", hint: "modprobe tun" };

test("findings are lines, a hint below what it mends, and what two runtimes miss is said once", () => {
  expect(formatFindings([OK, NO_TUN, NO_TUN])).toEqual([
    "ok       Docker 20.10.24 answers",
    "missing  /dev/net/tun",
    "         → modprobe tun",
  ]);
});

test("a machine is complete when nothing is missing", () => {
  expect([isComplete([OK]), isComplete([OK, NO_TUN])]).toEqual([true, false]);
});

test("each missing program is named with its Debian package and use, and one command installs them all", () => {
  const missing = REQUIRED_PROGRAMS.filter(({ name }) => ["nft", "tcpdump"].includes(name));
  expect(formatFindings(programFindings(missing))).toEqual([
    "missing  nft (Debian package nftables), which loads the translation rules of NATs on the netns runtime",
    "missing  tcpdump (Debian package tcpdump), which shows the packets of a running lab on the netns runtime",
    "         → npm run setup -- --runtime netns, or as root: apt-get install nftables tcpdump",
  ]);
});
