import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DAEMON_PROGRAMS } from "../../../../orchestrator/plan/daemons/programs.ts";
import { PACKAGE_ROOT } from "../../../../orchestrator/support/package-root.ts";

test("the node image has the package of every daemon", async () => {
  const dockerfile = await readFile(join(PACKAGE_ROOT, "images/node/Dockerfile"), "utf8");
  const [, packages = ""] = /apt-get install -y --no-install-recommends([^&]*)/.exec(dockerfile) ?? [];
  const wanted = Object.values(DAEMON_PROGRAMS).map(({ debianPackage }) => debianPackage);
  expect(packages.split(/[\s\\]+/)).toEqual(expect.arrayContaining(wanted));
});
