/**
 * tcpdump, started as root, changes to a user even where that is root again, and gives up when it may not set its
 * groups. In a user namespace that an ordinary user has made nobody may (user_namespaces(7)), and there is nothing to
 * set: only one user is mapped. So a seccomp filter answers that one call with success.
 */

import { readFileSync } from "node:fs";
import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";

const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;

/** Instructions of classic BPF: load a word, jump if equal, return. */
const [LOAD, JUMP_IF_EQUAL, RETURN] = [0x20, 0x15, 0x06];
/** Offsets in `struct seccomp_data`. */
const [NUMBER_AT, ARCHITECTURE_AT] = [0, 4];
const ALLOW = 0x7fff_0000;
/** The call is not made and gives 0. */
const SUCCEED = 0x0005_0000;

/** By Node's name of an architecture: what the kernel calls it, and the number of setgroups(2) there. */
const SETGROUPS: Readonly<Record<string, readonly [architecture: number, call: number]>> = {
  x64: [0xc000_003e, 116],
  arm64: [0xc000_00b7, 159],
};

/** Lets programs that are started from here on believe that they have set their groups, where that is forbidden. */
export function pretendToSetGroups(): void {
  const numbers = SETGROUPS[process.arch];
  if (numbers === undefined || readFileSync("/proc/self/setgroups", "latin1").trim() !== "deny") return;
  const [architecture, call] = numbers;
  const filter = assemble([
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [JUMP_IF_EQUAL, 0, 3, architecture],
    [LOAD, 0, 0, NUMBER_AT],
    [JUMP_IF_EQUAL, 0, 1, call],
    [RETURN, 0, 0, SUCCEED],
    [RETURN, 0, 0, ALLOW],
  ]);
  const { prctl, addressOf, errno } = libc();
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.length / INSTRUCTION_BYTES, 0);
  program.writeBigUInt64LE(addressOf(filter), 8);
  const isSet =
    prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n) === 0 &&
    prctl(PR_SET_SECCOMP, BigInt(SECCOMP_MODE_FILTER), addressOf(program)) === 0;
  if (!isSet) throw new NodeFailure("capture-failed", `the kernel refused a seccomp filter: errno ${errno()}`);
}

const INSTRUCTION_BYTES = 8;

function assemble(instructions: readonly (readonly [code: number, yes: number, no: number, value: number])[]): Buffer {
  const octets = Buffer.alloc(instructions.length * INSTRUCTION_BYTES);
  instructions.forEach(([code, yes, no, value], i) => {
    octets.writeUInt16LE(code, i * INSTRUCTION_BYTES);
    octets.writeUInt8(yes, i * INSTRUCTION_BYTES + 2);
    octets.writeUInt8(no, i * INSTRUCTION_BYTES + 3);
    octets.writeUInt32LE(value, i * INSTRUCTION_BYTES + 4);
  });
  return octets;
}
