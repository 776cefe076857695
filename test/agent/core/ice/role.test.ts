import { expect, test } from "vitest";
import type { IceRole } from "../../../../agent/src/core/events.ts";
import { judgeRoleClaim, otherRole, type RoleVerdict } from "../../../../agent/src/core/ice/role.ts";

test.each<{ own: IceRole; theirs: IceRole; ownTb: bigint; theirTb: bigint; expected: RoleVerdict }>([
  { own: "controlling", theirs: "controlled", ownTb: 1n, theirTb: 9n, expected: "agreed" },
  { own: "controlled", theirs: "controlling", ownTb: 9n, theirTb: 1n, expected: "agreed" },
  { own: "controlling", theirs: "controlling", ownTb: 9n, theirTb: 1n, expected: "reject" },
  { own: "controlling", theirs: "controlling", ownTb: 5n, theirTb: 5n, expected: "reject" },
  { own: "controlling", theirs: "controlling", ownTb: 1n, theirTb: 2n ** 64n - 1n, expected: "switch" },
  { own: "controlled", theirs: "controlled", ownTb: 9n, theirTb: 1n, expected: "switch" },
  { own: "controlled", theirs: "controlled", ownTb: 5n, theirTb: 5n, expected: "switch" },
  { own: "controlled", theirs: "controlled", ownTb: 1n, theirTb: 9n, expected: "reject" },
])("own $own ($ownTb) receives a check of a $theirs peer ($theirTb): $expected", (row) => {
  const verdict = judgeRoleClaim(
    { role: row.own, tieBreaker: row.ownTb },
    { role: row.theirs, tieBreaker: row.theirTb },
  );
  expect(verdict).toBe(row.expected);
});

test("each role has one other", () => {
  expect([otherRole("controlling"), otherRole("controlled")]).toEqual(["controlled", "controlling"]);
});
