/** The fields of one line of a delimited table. */
import { FormatError } from "../errors.ts";
import { type NumberToken, readNumber } from "./number_token.ts";

/** What may stand between fields. */
export type Delimiter = "," | "\t" | ";" | " ";

/** All delimiters, the likeliest first. */
export const DELIMITERS: readonly Delimiter[] = ["\t", ",", ";", " "];

const QUOTE = 34;

/** The first delimiter that is in the line; a comma where there is none. */
export function guessDelimiter(line: string): Delimiter {
  const plain = line.replaceAll(/"[^"]*"/g, "");
  return DELIMITERS.find((delimiter) => plain.includes(delimiter)) ?? ",";
}

/** A reader of the fields of a line, one after another. */
export class TableLine {
  readonly #delimiter: number;
  readonly #token: NumberToken = { value: 0, end: 0, whole: true };
  readonly #decoder = new TextDecoder();
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #line = 0;
  /** Number of the field that was read last, from 1. */
  #field = 0;

  /** Makes a reader of lines of the file of this name. */
  constructor(delimiter: Delimiter, readonly file: string) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** Begins a line. */
  start(bytes: Uint8Array, { start, end, line }: { start: number; end: number; line: number }) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#line = line;
    this.#field = 0;
  }

  /** How many fields the line has. */
  countFields(): number {
    let count = 1, quoted = false;
    for (let at = this.#at; at < this.#end; at++) {
      if (this.#bytes[at] === QUOTE) quoted = !quoted;
      else if (!quoted && this.#bytes[at] === this.#delimiter) count++;
    }
    return count;
  }

  /** The next field as text, without its quotes. */
  text(): string {
    const text = this.#decoder.decode(this.#bytes.subarray(this.#at, this.#fieldEnd()));
    this.#step();
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  }

  /** The next field as a number; the token is used again for the next one. */
  number(): NumberToken {
    const token = this.#token;
    if (this.#bytes[this.#at] === QUOTE) return this.#quotedNumber();
    if (this.#at >= this.#end) {
      this.#field++;
      this.refuse("it must be a finite number", this.#at > this.#end ? "no field" : "nothing");
    }
    readNumber(this.#bytes, this.#at, token);
    const wrong = token.end > this.#end ||
      (token.end < this.#end && this.#bytes[token.end] !== this.#delimiter);
    if (wrong || !Number.isFinite(token.value)) {
      const end = this.#fieldEnd();
      this.#field++;
      this.refuse(
        "it must be a finite number",
        this.#decoder.decode(this.#bytes.subarray(this.#at, Math.min(end, this.#at + 40))),
      );
    }
    this.#next = token.end;
    this.#step();
    return token;
  }

  #next = 0;

  #quotedNumber(): NumberToken {
    const text = this.text();
    readNumber(new TextEncoder().encode(text), 0, this.#token);
    if (!Number.isFinite(this.#token.value)) this.refuse("it must be a finite number", text);
    return this.#token;
  }

  /** Where the next field ends. */
  #fieldEnd(): number {
    let at = this.#at, quoted = false;
    for (; at < this.#end; at++) {
      if (this.#bytes[at] === QUOTE) quoted = !quoted;
      else if (!quoted && this.#bytes[at] === this.#delimiter) break;
    }
    this.#next = at;
    if (!quoted) return at;
    this.#field++;
    return this.refuse("its quotes must end in its line", "none");
  }

  /** Goes over to the next field; beyond the last one `#at` is past the end. */
  #step(): void {
    this.#at = this.#next + 1;
    this.#field++;
  }

  /** Refuses a line that has more fields than `width`. */
  finish(width: number): void {
    if (this.#at > this.#end) return;
    this.#field++;
    this.refuse(`its line must have ${width} fields`, "more");
  }

  /** Refuses the field that was read last. */
  refuse(rule: string, found: string): never {
    throw new FormatError("value", `Cannot read a field as ${rule}: got ${JSON.stringify(found)}`, {
      file: this.file,
      key: `line ${this.#line}, column ${this.#field}`,
    });
  }
}
