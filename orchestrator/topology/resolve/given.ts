/** Keys of a file that are absent override nothing. */

type Given<Entry> = { [Key in keyof Entry]?: Exclude<Entry[Key], undefined> };

/** The keys of an entry that have a value. */
export function given<Entry extends object>(entry: Entry): Given<Entry> {
  const present = Object.entries(entry).filter(([, value]) => value !== undefined);
  // Only keys were left out, and no value is undefined any more.
  return Object.fromEntries(present) as Given<Entry>;
}
