/** Rows of fields in text, by Papa Parse, fed piece by piece. */
import Papa from "papaparse";

/** What is used of the parser below Papa Parse's streams, which knows no web streams. */
interface IncrementalParser {
  parse(
    input: string,
    baseIndex: number,
    ignoreLastRow: boolean,
  ): {
    readonly data: string[][];
    readonly errors: readonly { readonly message: string; readonly row?: number }[];
    readonly meta: { readonly cursor: number };
  };
}

/** Line end of a text: that of its first line; undefined while none is certain. */
function newlineOf(text: string): string | undefined {
  return /\r\n|\n|\r(?!$)/.exec(text.replace(/"[^"]*("|$)/g, ""))?.[0];
}

/** Rows of fields; empty lines are none. Throws `SyntaxError` where a quote is not closed or not where it may be. */
export async function* recordsIn(
  text: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<string[]> {
  let rest = "", row = 0;
  let parser: IncrementalParser | undefined;
  const parse = (last: boolean): string[][] => {
    parser ??= new Papa.Parser({
      delimiter,
      newline: newlineOf(rest) as "\n",
    }) as unknown as IncrementalParser;
    const { data, errors, meta } = parser.parse(rest, 0, !last);
    // What comes after the last whole row may be the middle of a field.
    const error = last ? errors[0] : undefined;
    if (error !== undefined) {
      throw new SyntaxError(
        `Cannot read row ${row + (error.row ?? 0)} of the text: ${error.message}`,
      );
    }
    row += data.length;
    rest = rest.slice(meta.cursor);
    return data.filter((fields) => fields.length > 1 || fields[0] !== "");
  };
  for await (const piece of text) {
    rest += row === 0 && rest === "" ? piece.replace(/^\ufeff/, "") : piece;
    if (parser || newlineOf(rest) !== undefined) yield* parse(false);
  }
  if (rest !== "") yield* parse(true);
}

/** Rows of fields as text, quoted where they have to be. */
export function joinFields(rows: readonly (readonly string[])[], delimiter: string): string {
  return `${Papa.unparse(rows as string[][], { delimiter, newline: "\n" })}\n`;
}
