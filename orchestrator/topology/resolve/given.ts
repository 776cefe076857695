/** Absent keys of a file must not override defaults. */

type Given<Entry> = { [Key in keyof Entry]?: Exclude<Entry[Key], undefined> };

/** The keys of an entry that have a value. */
export function given<Entry extends object>(entry: Entry): Given<Entry> {
  const present = Object.entries(entry).filter(([, value]) => value !== undefined);
  // Only keys without a value were removed.
  return Object.fromEntries(present) as Given<Entry>;
}
