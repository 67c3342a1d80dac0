/** Names made unique. */

/** Names with `-1`, `-2`, ... added to those that are there already, as `anndata.utils.make_index_unique` does. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  if (taken.size === names.length) return names;
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  return names.map((name) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    let count = counts.get(name) ?? 0, made: string;
    do made = `${name}-${++count}`; while (taken.has(made));
    counts.set(name, count);
    taken.add(made);
    return made;
  });
}
