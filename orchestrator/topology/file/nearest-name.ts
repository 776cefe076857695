/** Finds the name that was probably meant by one that does not exist. */

/** A longer name is not a misspelt one; among more names nobody is helped, and to compare them takes long. */
const LONGEST_COMPARED = 100;
const MOST_COMPARED = 100;

/**
 * The nearest of `names`: the one that starts with `wanted`, or the one that differs least, in at most a third of the
 * letters (two at the least, one in a short name). Undefined when none is near.
 */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  if (wanted.length > LONGEST_COMPARED || names.length > MOST_COMPARED) return undefined;
  const begun = names.filter((name) => wanted.length >= 3 && name.startsWith(wanted));
  if (begun.length === 1) return begun[0];
  const ranked = namesByDistance(wanted, names);
  const best = ranked[0];
  const tolerance = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  return best !== undefined && best.distance <= tolerance ? best.name : undefined;
}

/** Most names listed in a message. */
const NAMES_SHOWN = 20;

/** `a, b, c`, or the first twenty and how many there are beside them. */
export function listNames(names: readonly string[]): string {
  if (names.length <= NAMES_SHOWN) return names.join(", ");
  return `${names.slice(0, NAMES_SHOWN).join(", ")} and ${names.length - NAMES_SHOWN} more`;
}

/** All names, the nearest first; equal distances keep their order. */
export function namesByDistance(
  wanted: string,
  names: readonly string[],
): { readonly name: string; readonly distance: number }[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
}

/** Levenshtein distance: insertions, deletions and replacements of one letter. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
