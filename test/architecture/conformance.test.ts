/** The conformance table, held to what it promises: every row names tests that exist, or says why there are none. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { readTestTitles } from "../support/test-titles.ts";

interface Row {
  readonly document: string;
  readonly level: string;
  readonly requirement: string;
  readonly section: string;
  readonly verification: string;
}

const NOT_IMPLEMENTED = /^not implemented(?: as a count)?: \S/;

/** Sections of the draft that demand something. */
const DRAFT_SECTIONS = [
  "1",
  "1.1",
  "1.2",
  "1.3",
  "1.4",
  "1.5",
  "1.6",
  "3",
  "4",
  "5",
  "6",
  "7",
  "8",
  "9",
  "10",
  "11",
  "12",
];
const DRAFT_LAST_SECTIONS = ["13", "14.1", "14.2", "14.3", "14.4.1", "14.4.2", "15"];

const titles = new Map<string, readonly string[]>();
const readme = readFileSync(join(PACKAGE_ROOT, "agent/README.md"), "utf8");
const rows = readRows(readFileSync(join(PACKAGE_ROOT, "agent/CONFORMANCE.md"), "utf8"));

test("every row says how binding it is, what, and where that is written", () => {
  const odd = rows.filter(
    ({ level, requirement, section }) =>
      !["MUST", "SHOULD", "MAY", "says"].includes(level) || requirement === "" || section === "",
  );
  expect(odd).toEqual([]);
});

test("every row is proved by tests, or says why it is not implemented", () => {
  const bare = rows.filter(
    ({ verification }) => !NOT_IMPLEMENTED.test(verification) && references(verification).length === 0,
  );
  expect(bare).toEqual([]);
});

test("every test that a row names exists, and is not skipped", () => {
  const missing = rows
    .filter(({ verification }) => !NOT_IMPLEMENTED.test(verification))
    .flatMap(({ verification }) => references(verification).filter((reference) => !exists(reference)));
  expect(missing).toEqual([]);
});

test("every section of the draft has a row, and so has every attack", () => {
  const draft = rows.filter(({ document }) => document.startsWith("draft-tschofenig"));
  const sections = new Set(draft.flatMap(({ section }) => section.split(", ")));
  const attacks = new Set(rows.flatMap(({ requirement }) => requirement.match(/\bS\d+\b/g) ?? []));
  const expected = Array.from({ length: 25 }, (_, i) => `S${i + 1}`);
  expect([...DRAFT_SECTIONS, ...DRAFT_LAST_SECTIONS].filter((section) => !sections.has(section))).toEqual([]);
  expect(expected.filter((attack) => !attacks.has(attack))).toEqual([]);
});

test("the README counts what the table holds", () => {
  const lines = [...new Set(rows.map(({ document }) => document))].map((document) => {
    const of = rows.filter((row) => row.document === document);
    const open = of.filter(({ verification }) => NOT_IMPLEMENTED.test(verification)).length;
    return [document, of.length - open, open].join(" | ");
  });
  const table = readme.split("\n").map((line) => line.replace(/^\| +| +\|$/g, "").replace(/ +\| +/g, " | "));
  expect(lines.filter((line) => !table.includes(line))).toEqual([]);
});

test("the README answers each question of RFC 3424", () => {
  const chapter = readme.split(/^## /m).find((text) => text.startsWith("RFC 3424")) ?? "";
  const questions = chapter.split(/^\*\*/m).slice(1);
  expect(questions.map((text) => text.slice(0, text.indexOf(".**")))).toEqual([
    "The problem",
    "The way out",
    "What becomes more brittle",
    "What a lasting solution needs",
    "NATs as they are",
  ]);
  for (const text of questions) expect(text.length).toBeGreaterThan(200);
});

/** Rows of all tables, each with the heading it stands under. */
function readRows(text: string): readonly Row[] {
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((chapter) => {
      const [document = "", ...lines] = chapter.split("\n");
      return lines.filter((line) => line.startsWith("| ") && !line.startsWith("| level ")).map(rowOf(document));
    });
}

function rowOf(document: string): (line: string) => Row {
  return (line) => {
    const [level = "", requirement = "", section = "", verification = ""] = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    return { document, level, requirement, section, verification };
  };
}

/** The tests that a cell names, as `file › title` or `file › chapter › title`. */
function references(verification: string): readonly string[] {
  return verification.split("<br>").filter((part) => /^`[^`]+` › \S/.test(part));
}

function exists(reference: string): boolean {
  const [, file = "", title = ""] = /^`([^`]+)` › (.*)$/.exec(reference) ?? [];
  return titlesOf(file).some((full) => full === title || full.endsWith(` › ${title}`));
}

/** Of a file below `test/`; none where there is no such file. */
function titlesOf(file: string): readonly string[] {
  const path = join(PACKAGE_ROOT, "test", `${file}.test.ts`);
  const known = titles.get(file) ?? (existsSync(path) ? readTestTitles(path) : []);
  titles.set(file, known);
  return known;
}
