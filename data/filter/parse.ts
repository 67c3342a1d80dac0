/**
 * The language of filters: comparisons of columns with values, `in` and `not in`, joined by `and`, `or`, `not` (or `&&`,
 * `||`, `!`, and `&`, `|` as Python's data frames have them) and parentheses. `not` binds less than comparisons and more than
 * `and`, which binds more than `or`, as in Python. A column of an odd name stands in backticks.
 */
import type {
  ColumnRef,
  FilterComparison,
  FilterConstant,
  FilterLiteral,
  FilterNode,
} from "./ast.ts";
import { pointAt } from "./place.ts";
import { type Interpolated, type Token, tokenize } from "./tokens.ts";

/** Filters deeper than this are refused rather than overflow the stack. */
const DEEPEST = 200;

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

const MIRRORED: Readonly<Record<FilterComparison, FilterComparison>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

const CONSTANTS: ReadonlyMap<string, FilterConstant> = new Map<string, FilterConstant>([
  ...["True", "true"].map((name) => [name, true] as const),
  ...["False", "false"].map((name) => [name, false] as const),
  ...["None", "null"].map((name) => [name, null] as const),
]);

const WORDS = { and: ["and", "&&", "&"], or: ["or", "||", "|"], not: ["not", "!"] } as const;

/** A filter that was parsed. */
export interface ParsedFilter {
  /** The text, with interpolated values written out. */
  readonly text: string;
  /** What it says. */
  readonly condition: FilterNode;
}

/** Reads the words of one filter from left to right. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  /** The whole filter. */
  all(): FilterNode {
    const condition = this.#or();
    if (this.#token.kind !== "end") this.#fail('"and", "or" or the end');
    return condition;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #fail(rule: string, token = this.#token): never {
    const got = token.kind === "end" ? "the end" : JSON.stringify(token.text);
    throw new SyntaxError(
      pointAt(
        `Cannot parse the filter at character ${token.at} as ${rule} must come there: got ${got}`,
        this.#text,
        token.at,
      ),
    );
  }

  /** Steps over the next word where it is one of these. */
  #skip(words: readonly string[]): boolean {
    const { kind, text } = this.#token;
    const found = (kind === "name" || kind === "operator") && words.includes(text);
    if (found) this.#next++;
    return found;
  }

  #or(): FilterNode {
    if (++this.#depth > DEEPEST) this.#fail(`no more than ${DEEPEST} levels of parentheses`);
    const node = this.#chain("or", () => this.#chain("and", () => this.#not()));
    this.#depth--;
    return node;
  }

  #chain(kind: "and" | "or", term: () => FilterNode): FilterNode {
    const terms = [term()];
    while (this.#skip(WORDS[kind])) terms.push(term());
    return terms.length === 1 ? terms[0]! : { kind, terms };
  }

  #not(): FilterNode {
    let negated = false;
    while (this.#skip(WORDS.not)) negated = !negated;
    const term = this.#skip(["("]) ? this.#group() : this.#comparison();
    return negated ? { kind: "not", term } : term;
  }

  #group(): FilterNode {
    const node = this.#or();
    if (!this.#skip([")"])) this.#fail('")"');
    return node;
  }

  #comparison(): FilterNode {
    const start = this.#token;
    let left = this.#operand();
    if (this.#isIn()) return this.#membership(left, start);
    const terms: FilterNode[] = [];
    while (COMPARISONS.has(this.#token.text) && this.#token.kind === "operator") {
      const op = this.#token.text as FilterComparison;
      this.#next++;
      const at = this.#token;
      const right = this.#operand();
      terms.push(this.#compare(left, { op, right, at }));
      left = right;
    }
    if (terms.length > 1) return { kind: "and", terms }; // 200 < n_genes < 5000
    if (terms.length === 1) return terms[0]!;
    if (left.kind === "column") return { kind: "truth", column: left };
    return this.#fail("a comparison");
  }

  #compare(
    left: ColumnRef | FilterLiteral,
    rest: { op: FilterComparison; right: ColumnRef | FilterLiteral; at: Token },
  ): FilterNode {
    const { op, right, at } = rest;
    if (left.kind === "column") return { kind: "compare", op, column: left, to: right };
    if (right.kind === "column") {
      return { kind: "compare", op: MIRRORED[op], column: right, to: left };
    }
    return this.#fail("a column, on one side at least,", at);
  }

  /** Whether `in` or `not in` comes next. */
  #isIn(): boolean {
    const [first, second] = [this.#token, this.#tokens[this.#next + 1]];
    const word = (token: Token | undefined, text: string) =>
      token?.kind === "name" && token.text === text;
    return word(first, "in") || word(first, "not") && word(second, "in");
  }

  #membership(column: ColumnRef | FilterLiteral, start: Token): FilterNode {
    if (column.kind !== "column") this.#fail('a column, before "in",', start);
    const negated = this.#skip(["not"]);
    this.#next++;
    const node: FilterNode = { kind: "in", column, values: this.#list() };
    return negated ? { kind: "not", term: node } : node;
  }

  #list(): readonly FilterConstant[] {
    const { value } = this.#token;
    if (Array.isArray(value)) {
      this.#next++;
      return value;
    }
    const close = this.#skip(["["]) ? "]" : this.#skip(["("]) ? ")" : this.#fail("a list");
    const values: FilterConstant[] = [];
    while (!this.#skip([close])) {
      const token = this.#token;
      const operand = this.#operand();
      if (operand.kind !== "literal") this.#fail("a value", token);
      values.push(operand.value);
      if (!this.#skip([","]) && this.#token.text !== close) this.#fail(`"," or "${close}"`);
    }
    return values;
  }

  #operand(): ColumnRef | FilterLiteral {
    const { kind, text, at, value } = this.#token;
    const constant = kind === "name" ? CONSTANTS.get(text) : undefined;
    const keyword = kind === "name" && ["and", "or", "not", "in"].includes(text);
    if (kind === "value" && !Array.isArray(value)) {
      this.#next++;
      return { kind: "literal", value: value as FilterConstant, at };
    }
    if (constant !== undefined) {
      this.#next++;
      return { kind: "literal", value: constant, at };
    }
    if (keyword || kind !== "name" && kind !== "quoted") this.#fail("a column or a value");
    this.#next++;
    return { kind: "column", name: text, at };
  }
}

/** Refuses what is neither a value nor a list of values. */
function checkInterpolated(value: unknown): Interpolated {
  const values = Array.isArray(value) ? value : [value];
  for (const one of values) {
    if (one === null || ["string", "number", "boolean"].includes(typeof one)) continue;
    throw new TypeError(
      `Cannot make a filter as a value must be a text, a number, a truth value, null or a list of them: got ${typeof one}`,
    );
  }
  return value as Interpolated;
}

/**
 * Parses a filter.
 *
 * @param text The filter; a list of texts has a value between each two of them, which is a literal whatever it looks like.
 * @param values Values between the texts.
 * @throws {SyntaxError} Where it is no filter; the message points at the place.
 * @throws {TypeError} Where a value is not one that a filter can have.
 *
 * @example The columns of a filter
 * ```ts
 * import assert from "node:assert/strict";
 * import { columnsIn, parseFilter } from "@scgpt/sdk/data";
 *
 * const { condition } = parseFilter('tissue_general == "lung" and is_primary_data == True');
 * assert.deepEqual(columnsIn(condition), ["tissue_general", "is_primary_data"]);
 * ```
 */
export function parseFilter(
  text: string | readonly string[],
  values: readonly unknown[] = [],
): ParsedFilter {
  const parts = typeof text === "string" ? [text] : text;
  const words = tokenize(parts, values.map(checkInterpolated));
  return { text: words.text, condition: new Parser(words.text, words.tokens).all() };
}
