/** Picks out of a machine's package sources those of Debian itself, for a base image that is to use the same mirrors. */

/** A file of package sources: the one-line format (`.list`) or deb822 (`.sources`). */
export interface SourcesFile {
  readonly path: string;
  readonly text: string;
}

/** Suites of a release that are Debian's own; others, such as `bookworm-pgdg`, belong to third parties. */
const SUITE_SUFFIXES = ["", "-updates", "-security"];

/**
 * Returns the entries of `files` that name only Debian's own suites of `release`, each file in its format; files
 * without such entries are left out. An empty answer means that this machine has no mirror of that release.
 */
export function debianSources(files: readonly SourcesFile[], release: string): readonly SourcesFile[] {
  const suites = new Set(SUITE_SUFFIXES.map((suffix) => `${release}${suffix}`));
  return files.flatMap(({ path, text }) => {
    const entries = path.endsWith(".sources") ? stanzas(text, suites) : listLines(text, suites);
    return entries === "" ? [] : [{ path, text: entries }];
  });
}

/** `deb [options] uri suite component…` lines. */
function listLines(text: string, suites: ReadonlySet<string>): string {
  const lines = text.split("\n").filter((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)\s+\S/.exec(line.trim());
    return match !== null && suites.has((match[1] ?? "").replace(/\/updates$/, ""));
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** Paragraphs of `Key: value` lines; comment lines may stand anywhere. */
function stanzas(text: string, suites: ReadonlySet<string>): string {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => {
    if (!/^Types:.*\bdeb\b/m.test(paragraph) || /^Enabled:\s*no\b/im.test(paragraph)) return false;
    const named = /^Suites:\s*(.+)$/m.exec(paragraph)?.[1]?.trim().split(/\s+/) ?? [];
    return named.length > 0 && named.every((suite) => suites.has(suite));
  });
  return paragraphs.map((paragraph) => `${paragraph.trim()}\n`).join("\n");
}
