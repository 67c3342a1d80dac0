/** The gene vocabulary: names of genes and of special tokens, and the rows of the embedding table that they stand for. */

/** Tokens that every scGPT vocabulary has, in the order in which they are appended. */
export const SPECIAL_TOKENS = ["<pad>", "<cls>", "<eoc>"] as const;

/**
 * Names by id and ids by name. Names are case-sensitive gene symbols; there are no synonyms.
 * Reference: `GeneVocab` in scgpt/tokenizer/gene_tokenizer.py.
 *
 * @example
 * ```ts
 * import { GeneVocab } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const vocab = GeneVocab.fromJson('{"CD3D": 1, "ACTB": 0}');
 * assert.equal(vocab.id("CD3D"), 1);
 * assert.equal(vocab.id("cd3d"), undefined);
 * assert.equal(vocab.name(3), "<cls>");
 * assert.equal(vocab.size, 5);
 * ```
 */
export class GeneVocab {
  readonly #names: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(names: readonly string[], ids: ReadonlyMap<string, number>) {
    this.#names = names;
    this.#ids = ids;
  }

  /**
   * Reads a `vocab.json`: an object of ids by name. `<pad>`, `<cls>` and `<eoc>` are appended where absent.
   *
   * @param json Text of the file, or the object
   * @returns The vocabulary
   * @throws {SyntaxError} When the text is not JSON
   * @throws {TypeError} When it is no object of integers
   * @throws {RangeError} When an id is taken twice, or ids leave a hole, naming it
   */
  static fromJson(json: string | Readonly<Record<string, number>>): GeneVocab {
    const object: unknown = typeof json === "string" ? parse(json) : json;
    if (typeof object !== "object" || object === null || Array.isArray(object)) {
      throw new TypeError("Cannot read the vocabulary as it must be an object of ids by name");
    }
    return GeneVocab.fromNames(orderById(Object.entries(object)));
  }

  /**
   * Makes a vocabulary of names in the order given; specials are appended where absent.
   *
   * @param names Gene symbols, each once
   * @returns The vocabulary
   * @throws {RangeError} When a name occurs twice
   */
  static fromNames(names: readonly string[]): GeneVocab {
    const all = [...names];
    const ids = new Map(all.map((name, id) => [name, id]));
    if (ids.size < all.length) {
      const twice = all.find((name, id) => ids.get(name) !== id);
      throw new RangeError(
        `Cannot make a vocabulary as each name must occur once: got ${twice} twice`,
      );
    }
    for (const token of SPECIAL_TOKENS) {
      if (!ids.has(token)) ids.set(token, all.push(token) - 1);
    }
    return new GeneVocab(all, ids);
  }

  /** Number of tokens, specials included. */
  get size(): number {
    return this.#names.length;
  }

  /**
   * Id of a token.
   *
   * @param name Gene symbol or special token
   * @returns Its id, or undefined when the vocabulary lacks it
   */
  id(name: string): number | undefined {
    return this.#ids.get(name);
  }

  /**
   * Id of a token that must be there.
   *
   * @param name Special token, or a gene known to be there
   * @returns Its id
   * @throws {RangeError} When the vocabulary lacks it
   */
  require(name: string): number {
    const id = this.#ids.get(name);
    if (id !== undefined) return id;
    throw new RangeError(
      `Cannot find "${name}" as the vocabulary must hold it: got ${this.size} other names`,
    );
  }

  /**
   * Name of a token.
   *
   * @param id From 0 to size - 1
   * @returns Gene symbol or special token
   * @throws {RangeError} When there is no such id
   */
  name(id: number): string {
    const name = this.#names[id];
    if (name !== undefined) return name;
    throw new RangeError(`Cannot name token ${id} as ids must be 0 to ${this.size - 1}`);
  }

  /** All names in the order of their ids. */
  names(): readonly string[] {
    return this.#names;
  }

  /**
   * The vocabulary as the text of a `vocab.json`, in the order of ids.
   *
   * @returns JSON that `fromJson` reads
   */
  toJson(): string {
    return JSON.stringify(Object.fromEntries(this.#ids));
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new SyntaxError("Cannot read the vocabulary as it is not JSON", { cause });
  }
}

/** Names at their ids; n names have the ids 0 .. n-1. */
function orderById(entries: readonly (readonly [string, unknown])[]): string[] {
  const names = new Array<string | undefined>(entries.length).fill(undefined);
  let beyond: string | undefined;
  for (const [name, id] of entries) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0) {
      throw new TypeError(
        `Cannot read the vocabulary as ids must be integers from 0: got ${id} for ${name}`,
      );
    }
    if (names[id] !== undefined) {
      throw new RangeError(
        `Cannot read the vocabulary as each id must stand for one name: got ${id} for ${
          names[id]
        } and ${name}`,
      );
    }
    if (id < names.length) names[id] = name;
    else beyond = `${name} has ${id}`;
  }
  const hole = names.indexOf(undefined);
  if (hole < 0) return names as string[];
  throw new RangeError(
    `Cannot read the vocabulary as ids must be contiguous: ${hole} is missing and ${beyond}`,
  );
}
