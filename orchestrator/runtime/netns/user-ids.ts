/** Users of this machine, as whom hosts run their programs. */

import { readFile } from "node:fs/promises";
import { TestbedError } from "../../support/errors.ts";
import type { UserIds } from "./host-room.ts";

/**
 * The numbers of a user, by name or number. Throws `bad-topology` where there is no such user, `no-permission` for an
 * ordinary user, whose labs have no other users.
 */
export async function userIds(host: string, user: string): Promise<UserIds> {
  if (process.getuid?.() !== 0)
    throw new TestbedError("no-permission", `expected root, so that ${host} runs as user ${user}`, {
      hint: "run as root, or take `user` away: without root, a lab has one user",
    });
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = lines.find(([name, , uid]) => name === user || uid === user);
  const [uid, gid] = found === undefined ? [user, user] : found.slice(2, 4);
  if (!/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? ""))
    throw new TestbedError("bad-topology", `expected a user of this machine for ${host}; found no ${user}`, {
      hint: "give the number of a user, or the name of one in /etc/passwd",
    });
  return { uid: Number(uid), gid: Number(gid) };
}
