/** The grammar of value filters: comparisons of columns with values, joined by and, or, not. */
import { type Token, tokenize, ValueFilterError } from "./value_filter_tokens.ts";

/** A value in a filter; null stands for a missing one. */
export type FilterValue = string | number | bigint | boolean | null;

/** How a column is compared with one value. */
export type FilterOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A condition on one column. */
export interface ColumnCondition {
  /** Tells it from combinations. */
  readonly kind: "column";
  /** Name of the column. */
  readonly column: string;
  /** How it is compared: with the value, or with all of the list. */
  readonly op: FilterOperator | "in" | "not in";
  /** The value, or the values of the list. */
  readonly values: readonly FilterValue[];
  /** Place of the column's name in the filter. */
  readonly at: number;
  /** Place of each value in the filter. */
  readonly valuesAt: readonly number[];
}

/** A condition, in which no negation is left: they have gone into the comparisons. */
export type FilterCondition = ColumnCondition | {
  /** How the parts are joined. */
  readonly kind: "and" | "or";
  /** The parts. */
  readonly parts: readonly FilterCondition[];
};

/** A parsed value filter. */
export interface ValueFilter {
  /** The filter as written. */
  readonly text: string;
  /** What it says. */
  readonly condition: FilterCondition;
  /** Names of the columns that it reads, each once. */
  readonly columns: readonly string[];
}

/** Deepest nesting of parentheses and negations. */
const DEEPEST = 256;

/**
 * Parses a value filter, in the language of Python's SOMA and Census: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`,
 * `not in [...]`, `and`, `or`, `not`, parentheses, texts in quotes, numbers, `True`, `False`, `None`. A name that is
 * no identifier stands in backquotes or as `attr("name")`.
 *
 * A missing value matches nothing but `== None`, under a negation too.
 *
 * @param text The filter.
 * @returns The parsed filter.
 * @throws {ValueFilterError} Where it is not one; the message points at the place.
 *
 * @example Columns of a filter
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseValueFilter, ValueFilterError } from "@scgpt/sdk/data/soma";
 *
 * const filter = parseValueFilter('tissue == "lung" and not n_genes < 200');
 * assert.deepEqual(filter.columns, ["tissue", "n_genes"]);
 * assert.throws(() => parseValueFilter("tissue = 'lung'"), ValueFilterError);
 * ```
 */
export function parseValueFilter(text: string): ValueFilter {
  const condition = new Parser(text).parse();
  return { text, condition, columns: [...new Set(columnsOf(condition))] };
}

function columnsOf(condition: FilterCondition): string[] {
  return condition.kind === "column" ? [condition.column] : condition.parts.flatMap(columnsOf);
}

const NEGATED: Readonly<Record<ColumnCondition["op"], ColumnCondition["op"]>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "in": "not in",
  "not in": "in",
};

/** `value op column` as `column op value`. */
const TURNED: Readonly<Record<FilterOperator, FilterOperator>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** Negates by De Morgan's laws, so that missing values match neither a condition nor its negation. */
function negate(condition: FilterCondition): FilterCondition {
  if (condition.kind === "column") return { ...condition, op: NEGATED[condition.op] };
  return { kind: condition.kind === "and" ? "or" : "and", parts: condition.parts.map(negate) };
}

function isComparison(kind: Token["kind"]): kind is FilterOperator {
  return kind in TURNED;
}

/** A side of a comparison. */
type Operand =
  | { readonly column: string; readonly at: number }
  | { readonly value: FilterValue; readonly at: number };

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): FilterCondition {
    const condition = this.#any();
    if (this.#next.kind !== "end") throw this.#expected("and, or, or the end");
    return condition;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(...kinds: readonly Token["kind"][]): Token | undefined {
    return kinds.includes(this.#next.kind) ? this.#tokens[this.#at++] : undefined;
  }

  #need(kind: Token["kind"], what: string): Token {
    const token = this.#take(kind);
    if (token === undefined) throw this.#expected(what);
    return token;
  }

  #expected(what: string): ValueFilterError {
    const { kind, text, at } = this.#next;
    const found = kind === "end" ? text : JSON.stringify(text);
    return new ValueFilterError(`${what} must stand here: got ${found}`, {
      filter: this.#text,
      position: at,
    });
  }

  #any(): FilterCondition {
    return this.#joined("or", "|", () => this.#joined("and", "&", () => this.#not()));
  }

  #joined(kind: "and" | "or", sign: "&" | "|", part: () => FilterCondition): FilterCondition {
    const parts = [part()];
    while (this.#take(kind, sign)) parts.push(part());
    return parts.length === 1 ? parts[0]! : { kind, parts };
  }

  #not(): FilterCondition {
    if (++this.#depth > DEEPEST) throw this.#expected(`at most ${DEEPEST} levels`);
    try {
      if (this.#take("not")) return negate(this.#not());
      return this.#next.kind === "(" ? this.#group() : this.#comparison();
    } finally {
      this.#depth--;
    }
  }

  #group(): FilterCondition {
    this.#need("(", "(");
    const condition = this.#any();
    this.#need(")", ")");
    return condition;
  }

  /** A comparison; those in a row must all hold, as in Python. */
  #comparison(): FilterCondition {
    const left = this.#operand();
    const { kind } = this.#next;
    if (kind === "in" || kind === "not") return this.#membership(left);
    if (!isComparison(kind)) throw this.#expected("a comparison");
    const parts: FilterCondition[] = [];
    let from = left;
    for (let op = this.#next.kind; isComparison(op); op = this.#next.kind) {
      this.#at++;
      const to = this.#operand();
      parts.push(this.#compare(from, op, to));
      from = to;
    }
    return parts.length === 1 ? parts[0]! : { kind: "and", parts };
  }

  #compare(left: Operand, op: FilterOperator, right: Operand): FilterCondition {
    const column = "column" in left ? left : right;
    const value = "column" in left ? right : left;
    if (!("column" in column) || !("value" in value)) {
      throw new ValueFilterError("a column must be compared with a value", {
        filter: this.#text,
        position: left.at,
      });
    }
    return {
      kind: "column",
      column: column.column,
      op: column === left ? op : TURNED[op],
      values: [value.value],
      at: column.at,
      valuesAt: [value.at],
    };
  }

  #membership(left: Operand): FilterCondition {
    const negated = this.#take("not") !== undefined;
    this.#need("in", "in");
    if (!("column" in left)) {
      throw new ValueFilterError("a column must stand before in", {
        filter: this.#text,
        position: left.at,
      });
    }
    const close = this.#take("(") ? ")" : (this.#need("[", "a list in [ ]"), "]");
    const values: FilterValue[] = [];
    const valuesAt: number[] = [];
    while (this.#next.kind !== close) {
      valuesAt.push(this.#next.at);
      values.push(this.#value());
      if (!this.#take(",")) break;
    }
    this.#need(close, `, or ${close}`);
    const { column, at } = left;
    return { kind: "column", column, op: negated ? "not in" : "in", values, at, valuesAt };
  }

  #operand(): Operand {
    const { kind, text, at } = this.#next;
    if (kind !== "name") return { value: this.#value(), at };
    this.#at++;
    if ((text !== "attr" && text !== "val") || !this.#take("(")) return { column: text, at };
    const inner = this.#next.at;
    const operand = text === "attr"
      ? { column: this.#need("text", "the name of a column in quotes").text, at: inner }
      : { value: this.#value(), at: inner };
    this.#need(")", ")");
    return operand;
  }

  #value(): FilterValue {
    const token = this.#take("text", "number", "True", "False", "None");
    if (token === undefined) throw this.#expected("a column or a value");
    switch (token.kind) {
      case "text":
        return token.text;
      case "number":
        return numberOf(token.text);
      case "None":
        return null;
      default:
        return token.kind === "True";
    }
  }
}

/** A number; an integer that a float would round is kept whole. */
function numberOf(text: string): number | bigint {
  const number = Number(text);
  return /^[+-]?\d+$/.test(text) && !Number.isSafeInteger(number)
    ? BigInt(text.replace("+", ""))
    : number;
}
