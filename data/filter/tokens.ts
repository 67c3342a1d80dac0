/** The words of a filter. */
import type { FilterConstant } from "./ast.ts";
import { pointAt } from "./place.ts";

/** What can stand in a filter in place of text: a value or a list of them. */
export type Interpolated = FilterConstant | readonly FilterConstant[];

/** A word of a filter. */
export interface Token {
  /** What kind of word it is; a name in backticks is never a keyword. */
  readonly kind: "name" | "quoted" | "value" | "operator" | "end";
  /** The word as it is written, or the name without backticks. */
  readonly text: string;
  /** Where it starts. */
  readonly at: number;
  /** The value of a literal. */
  readonly value?: Interpolated;
}

const WORD =
  /\s+|(?<name>[\p{L}_][\p{L}\p{N}_.]*)|`(?<quoted>[^`]+)`|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?<operator>==|!=|<=|>=|&&?|\|\|?|[<>!()[\],])/uy;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** The text between quotes. */
function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/gsu, (_, letter) => ESCAPES[letter] ?? letter);
}

/** What is wrong with a place that no word fits. */
function stray(text: string, at: number): SyntaxError {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const hint = character === "="
    ? 'equality is "=="'
    : `"'\``.includes(character)
    ? "the quote is not closed"
    : "it has no meaning here";
  return new SyntaxError(
    pointAt(
      `Cannot parse the filter at character ${at} as ${hint}: got ${JSON.stringify(character)}`,
      text,
      at,
    ),
  );
}

/** The number that is written, which must be exact where it is whole. */
function numberIn(written: string, text: string, at: number): number {
  const value = Number(written);
  if (/^[-+]?\d+$/.test(written) && !Number.isSafeInteger(value)) {
    throw new SyntaxError(
      pointAt(
        `Cannot parse the filter at character ${at} as integers must be within 2^53: got ${written}`,
        text,
        at,
      ),
    );
  }
  return value;
}

/** Words of a stretch of the text. */
function* wordsIn(text: string, from: number, to: number): Generator<Token> {
  for (let at = from; at < to;) {
    WORD.lastIndex = at;
    const match = WORD.exec(text);
    if (match === null || WORD.lastIndex > to) throw stray(text, at);
    const { name, quoted, text: string, number, operator } = match.groups!;
    if (name !== undefined) yield { kind: "name", text: name, at };
    else if (quoted !== undefined) yield { kind: "quoted", text: quoted, at };
    else if (string !== undefined) {
      yield { kind: "value", text: string, at, value: unquote(string) };
    } else if (number !== undefined) {
      yield { kind: "value", text: number, at, value: numberIn(number, text, at) };
    } else if (operator !== undefined) yield { kind: "operator", text: operator, at };
    at = WORD.lastIndex;
  }
}

/** A filter as words. */
export interface Words {
  /** The whole text, with interpolated values written out. */
  readonly text: string;
  /** The words; the last is the end. */
  readonly tokens: readonly Token[];
}

/** How an interpolated value appears in messages. */
function written(value: Interpolated): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** Splits a filter into words; the values stand between the parts of the text, and are never read as text. */
export function tokenize(parts: readonly string[], values: readonly Interpolated[]): Words {
  let text = "";
  const stretches: (readonly [number, number] | Token)[] = [];
  parts.forEach((part, k) => {
    stretches.push([text.length, text.length + part.length]);
    text += part;
    if (k >= values.length) return;
    const value = values[k]!;
    stretches.push({ kind: "value", text: written(value), at: text.length, value });
    text += written(value);
  });
  const tokens = stretches.flatMap((stretch): Token[] =>
    "kind" in stretch ? [stretch] : [...wordsIn(text, stretch[0], stretch[1])]
  );
  return { text, tokens: [...tokens, { kind: "end", text: "", at: text.length }] };
}
