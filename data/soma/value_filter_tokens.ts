/** Words of value filters, and errors that point into them. */

/** An error in a value filter that says where and, where one is meant, which column. */
export class ValueFilterError extends SyntaxError {
  /** Tag of this class, for checks across realms. */
  readonly tag = "ValueFilterError";
  /** The filter. */
  readonly filter: string;
  /** Place of the first letter that is wrong, from 0. */
  readonly position: number;
  /** The column that is meant. */
  readonly column: string | undefined;

  /** Makes the error; the filter is shown below the message, with a mark at the place. */
  constructor(
    rule: string,
    options: { readonly filter: string; readonly position: number; readonly column?: string },
  ) {
    const { filter, position, column } = options;
    const before = filter.slice(0, position);
    const line = filter.split("\n")[before.split("\n").length - 1]!;
    const indent = before.slice(before.lastIndexOf("\n") + 1).replace(/\S/g, " ");
    super(`Cannot use the value filter at ${position} as ${rule}\n  ${line}\n  ${indent}^`);
    this.name = "ValueFilterError";
    this.filter = filter;
    this.position = position;
    this.column = column;
  }
}

/** A word of a filter. */
export interface Token {
  /** What it is; operators and keywords are their own kind. */
  readonly kind: "name" | "text" | "number" | "end" | Operator | Keyword;
  /** Its text; the content of texts and of quoted names. */
  readonly text: string;
  /** Place of its first letter. */
  readonly at: number;
}

const OPERATORS = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "&", "|"] as const;
const KEYWORDS = ["and", "or", "not", "in", "True", "False", "None"] as const;

/** An operator. */
export type Operator = (typeof OPERATORS)[number];

/** A word with a meaning. */
export type Keyword = (typeof KEYWORDS)[number];

/** Other spellings of words with a meaning. */
const SPELLINGS: Readonly<Record<string, Keyword>> = { true: "True", false: "False", null: "None" };

const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[\p{L}_][\p{L}\p{N}_.]*/uy;

/** Splits a filter into words; the last one is the end. */
export function tokenize(filter: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < filter.length) {
    if (/\s/.test(filter[at]!)) {
      at++;
      continue;
    }
    const [token, end] = readToken(filter, at);
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: "end", text: "the end", at: filter.length });
  return tokens;
}

function match(pattern: RegExp, filter: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(filter)?.[0];
}

function readToken(filter: string, at: number): [Token, number] {
  const first = filter[at]!;
  if (first === '"' || first === "'") return readQuoted(filter, at, "text");
  if (first === "`") return readQuoted(filter, at, "name");
  const operator = OPERATORS.find((operator) => filter.startsWith(operator, at));
  if (operator !== undefined) return [{ kind: operator, text: operator, at }, at + operator.length];
  const number = match(NUMBER, filter, at);
  if (number !== undefined) return [{ kind: "number", text: number, at }, at + number.length];
  const name = match(NAME, filter, at);
  if (name === undefined) {
    const hint = first === "=" ? " (equality is ==)" : "";
    throw new ValueFilterError(`${JSON.stringify(first)} has no meaning${hint}`, {
      filter,
      position: at,
    });
  }
  const keyword = KEYWORDS.find((word) => word === name) ?? SPELLINGS[name];
  return [{ kind: keyword ?? "name", text: name, at }, at + name.length];
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", 0: "\0" };

/** Text between quotes; a backslash takes the next letter as it is, or n, t, r for what they mean. */
function readQuoted(filter: string, at: number, kind: "text" | "name"): [Token, number] {
  const quote = filter[at]!;
  let text = "";
  for (let i = at + 1; i < filter.length; i++) {
    const letter = filter[i]!;
    if (letter === quote) return [{ kind, text, at }, i + 1];
    if (letter !== "\\" || kind === "name") text += letter;
    else if (++i < filter.length) text += ESCAPES[filter[i]!] ?? filter[i]!;
  }
  throw new ValueFilterError(`the quote ${quote} has no end`, { filter, position: at });
}
