/** Tests that touch the machine say what they need of it, and nothing else decides whether they run. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { isCi } from "../support/needs.ts";

/** Only start the command line, which makes nothing. */
const NEED_NOTHING = ["test/e2e/bad-input.test.ts"];

const files = ["test/contract", "test/e2e"].flatMap((folder) =>
  readdirSync(join(PACKAGE_ROOT, folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`),
);

test.each(files.filter((file) => !NEED_NOTHING.includes(file)))("%s says what it needs", (file) => {
  const text = readFileSync(join(PACKAGE_ROOT, file), "utf8");
  expect(text).toMatch(/^const \{ (?:describe|test|describe, test) \} = await needs\("/m);
  expect(text).not.toMatch(/^import \{[^}]*\b(?:describe|test)\b[^}]*\} from "vitest"/m);
});

test.each([
  ["true", true],
  ["1", true],
  ["false", false],
  ["", false],
  [undefined, false],
])("CI=%s counts as CI: %s", (value, expected) => {
  expect(isCi({ CI: value })).toBe(expected);
});
