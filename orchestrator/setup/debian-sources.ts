/** Selects Debian's own entries from a machine's package sources, for a base image that uses the same mirrors. */

/** A file of package sources: the one-line format (`.list`) or deb822 (`.sources`). */
export interface SourcesFile {
  readonly path: string;
  readonly text: string;
}

/** Suites of a release that are Debian's own; others, such as `bookworm-pgdg`, belong to third parties. */
const SUITE_SUFFIXES = ["", "-updates", "-security"];

/**
 * Returns the entries of `files` that name only Debian's own suites of `release`, all in one format: deb822 if there
 * are any, else lines. Empty if this machine has no mirror of that release.
 */
export function debianSources(files: readonly SourcesFile[], release: string): string {
  const suites = new Set(SUITE_SUFFIXES.map((suffix) => `${release}${suffix}`));
  const ofKind = (extension: string) => files.filter(({ path }) => path.endsWith(extension)).map(({ text }) => text);
  const paragraphs = ofKind(".sources").flatMap((text) => stanzas(text, suites));
  if (paragraphs.length > 0) return paragraphs.join("\n");
  return ofKind(".list")
    .flatMap((text) => listLines(text, suites))
    .join("");
}

/** `deb [options] uri suite component…` lines. */
function listLines(text: string, suites: ReadonlySet<string>): readonly string[] {
  const lines = text.split("\n").filter((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)\s+\S/.exec(line.trim());
    return match !== null && suites.has((match[1] ?? "").replace(/\/updates$/, ""));
  });
  return lines.map((line) => `${line}\n`);
}

/** Paragraphs of `Key: value` lines, with comment lines anywhere. */
function stanzas(text: string, suites: ReadonlySet<string>): readonly string[] {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => {
    if (!/^Types:(?: +\S+)*? +deb(?: |$)/m.test(paragraph) || /^Enabled:\s*no\b/im.test(paragraph)) return false;
    const named = /^Suites:\s*(.+)$/m.exec(paragraph)?.[1]?.trim().split(/\s+/) ?? [];
    return named.length > 0 && named.every((suite) => suites.has(suite));
  });
  return paragraphs.map((paragraph) => `${paragraph.trim()}\n`);
}
