/** Values that are read once. */

/** The value of a key, made when it is first asked for; a failure is not kept. */
export async function keep<K, V>(
  kept: Map<K, Promise<V>>,
  key: K,
  make: () => Promise<V>,
): Promise<V> {
  const value = kept.get(key) ?? make();
  kept.set(key, value);
  try {
    return await value;
  } catch (error) {
    if (kept.get(key) === value) kept.delete(key);
    throw error;
  }
}
