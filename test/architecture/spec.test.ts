/** `agent/SPEC.md`, held to its form, and every citation of it and of an RFC, held to lead somewhere. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { type CitationTargets, findCitationFaults } from "../support/citations.ts";
import { readSpec } from "../support/spec-document.ts";

const spec = readSpec();
const targets: CitationTargets = { anchors: new Set(spec.anchors), rfcs: spec.references };

describe("the document", () => {
  test("has every anchor once", () => {
    expect(spec.anchors.filter((anchor, i) => spec.anchors.indexOf(anchor) !== i)).toEqual([]);
  });

  test("names the anchor of a section after its number, and numbers ascend", () => {
    for (const { number, anchor } of spec.headings) expect(anchor).toBe(`s-${number.replaceAll(".", "-")}`);
    const numbers = spec.headings.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })));
  });

  test("has an anchor in every numbered heading", () => {
    const numbered = spec.text.match(/^#{2,3} .*\b\d+(?:\.\d+)*\.? .+$/gm) ?? [];
    expect(numbered).toHaveLength(spec.headings.length);
  });

  test("lists its sections in the contents", () => {
    const [, contents = ""] =
      spec.text
        .split("\n## ")
        .filter((chapter) => chapter.startsWith("Contents"))
        .at(0)
        ?.split("Contents\n") ?? [];
    const entries = [...contents.matchAll(/^ *- \[([^\]]+)\]\(#(s-[^)]+)\)$/gm)].map(([, title, anchor]) => ({
      title,
      anchor,
    }));
    expect(entries).toEqual(
      spec.headings.map(({ number, title, anchor }) => ({
        title: number.includes(".") ? `${number} ${title}` : `${number}. ${title}`,
        anchor,
      })),
    );
  });

  test("links to anchors that it has", () => {
    const links = [...spec.text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
    expect(links.filter((anchor) => anchor !== "references" && !targets.anchors.has(anchor))).toEqual([]);
  });

  test("has the decisions A-1 to A-40 and the attacks S1 to S29", () => {
    const named = (pattern: RegExp) => spec.anchors.filter((anchor) => pattern.test(anchor));
    expect(named(/^a-\d+$/)).toEqual(Array.from({ length: 40 }, (_, i) => `a-${i + 1}`));
    expect(named(/^s\d+$/)).toEqual(Array.from({ length: 29 }, (_, i) => `s${i + 1}`));
  });

  test("refers to its own sections by numbers that it has", () => {
    const foreign = /(?:RFC \d+|[Dd]raft|ICE-16|RRTFW) sections? \S+(?: (?:and|to) \d\S*)?/g;
    const prose = spec.text.replace(/\s+/g, " ").replace(foreign, "");
    const own = [...prose.matchAll(/\bsections? (\d+(?:\.\d+)*)(?: \(([a-z])\))?/g)].map(
      ([, number = "", part]) => `s-${number.replaceAll(".", "-")}${part === undefined ? "" : `-${part}`}`,
    );
    expect(own.length).toBeGreaterThan(40);
    expect(own.filter((anchor) => !targets.anchors.has(anchor))).toEqual([]);
  });
});

test("every citation leads somewhere", () => {
  const faults = citingFiles().flatMap((path) => {
    const style = path === "agent/CONFORMANCE.md" ? "table" : "prose";
    return findCitationFaults(readFileSync(join(PACKAGE_ROOT, path), "utf8"), targets, style).map(
      ({ line, citation, fault }) => `${path}:${line}: ${citation}: ${fault}`,
    );
  });
  expect(faults).toEqual([]);
});

describe("what a citation is", () => {
  const known: CitationTargets = {
    anchors: new Set(["s-8-3", "s-2-9", "s-2-9-b", "s-10", "a-7", "s13"]),
    rfcs: new Set([8445]),
  };

  test.each([
    "SPEC 8.3",
    "/** … (SPEC\n * 8.3; A-7) */",
    "SPEC 2.9 (b), 8.3 and 10, S13",
    "SPEC 10, step 9",
    "// RFC\n  // 8445 section 7.1",
    "RFC 8445 sections 6.1.4 and 7.2.5, RFC 8445",
    "[SPEC.md](SPEC.md)",
    "RFC 8445\n\nSections 7 and 8",
    "the digest of its inputs",
  ])("%j is right", (text) => {
    expect(findCitationFaults(text, known)).toEqual([]);
  });

  test.each([
    { text: "a\nSPEC 8.4", line: 2, citation: "SPEC 8.4", fault: "no such anchor" },
    { text: "SPEC 8.3, 8.5", line: 1, citation: "SPEC 8.5", fault: "no such anchor" },
    { text: "SPEC 2.9 (e)", line: 1, citation: "SPEC 2.9 (e)", fault: "no such anchor" },
    { text: " * A-7\n * A-41", line: 2, citation: "A-41", fault: "no such anchor" },
    { text: "S99", line: 1, citation: "S99", fault: "no such anchor" },
    { text: "SPEC section 8.3", line: 1, citation: "SPEC section 8.3", fault: "malformed" },
    { text: "SPEC A-7", line: 1, citation: "SPEC A-7", fault: "malformed" },
    { text: "digest 8.3", line: 1, citation: "digest 8.3", fault: "stale" },
    { text: "\n * Digest\n * section 8.3", line: 2, citation: "Digest section 8.3", fault: "stale" },
    { text: "digest A-7", line: 1, citation: "digest A-7", fault: "stale" },
    { text: "the digest, section 7.3", line: 1, citation: "digest, section 7.3", fault: "stale" },
    { text: "RFC 8446", line: 1, citation: "RFC 8446", fault: "not in the references" },
    { text: "RFC8445", line: 1, citation: "RFC8445", fault: "malformed" },
    { text: "RFC 8445 7.1", line: 1, citation: "RFC 8445 7.1", fault: "malformed" },
    { text: "RFC 8445, section 7.1", line: 1, citation: "RFC 8445, section 7.1", fault: "malformed" },
    { text: "RFC 8445 §7.1", line: 1, citation: "RFC 8445 §7.1", fault: "malformed" },
  ])("$text is reported: $fault", ({ text, line, citation, fault }) => {
    expect(findCitationFaults(text, known)).toEqual([{ line, citation, fault }]);
  });

  test("a table names sections without the word", () => {
    expect(findCitationFaults("| RFC 8445 7.3.1.1, 9 |", known, "table")).toEqual([]);
  });
});

/** Sources of the packages and tests, the agent's documents and the Wireshark dissector; not this file with its faults. */
function citingFiles(): readonly string[] {
  const sources = ["agent", "orchestrator", "test", "tools"].flatMap((folder) =>
    filesBelow(folder).filter((path) => path.endsWith(".ts")),
  );
  const documents = filesBelow("agent").filter((path) => path.endsWith(".md"));
  const own = relative(PACKAGE_ROOT, import.meta.filename);
  return [...sources, ...documents, "images/tools/mice.lua"].filter((path) => path !== own);
}

/** Paths from the package root; none where there is no such folder. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(PACKAGE_ROOT, { withFileTypes: true }).some((entry) => entry.name === folder)
    ? readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: "utf8" })
        .map((path) => `${folder}/${path}`)
        .filter((path) => !path.includes("node_modules"))
    : [];
}
