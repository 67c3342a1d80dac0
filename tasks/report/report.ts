/** What an evaluation has to say, as data; {@linkcode reportHtml} and {@linkcode reportJson} write it down. */

/** A column of numbers. */
export interface ReportColumn {
  /** Stable key, such as "macro_f1". */
  readonly key: string;
  /** Heading; the key by default. */
  readonly title?: string;
  /** Digits after the point on the page; 3 by default. The numbers of results.json are never rounded. */
  readonly digits?: number;
  /** Which numbers are better: the best mean of the column is marked. Neither by default. */
  readonly better?: "higher" | "lower";
}

/** One number, one for each seed, a text (such as the reason why there is no number), or null where nothing was measured. */
export type ReportCell = number | readonly number[] | string | null;

/** A line of a table. */
export interface ReportRow {
  /** Name, such as the method's. */
  readonly name: string;
  /** Cells by the column's key; a missing one is null. */
  readonly cells: Readonly<Record<string, ReportCell>>;
}

/** A table. */
export interface ReportTable {
  /** Stable key: small letters, digits and _. */
  readonly key: string;
  /** Heading. */
  readonly title: string;
  /** What the table shows, of what. */
  readonly caption?: string;
  /** Heading of the rows' names; "Method" by default. */
  readonly rowTitle?: string;
  /** Columns in order. */
  readonly columns: readonly ReportColumn[];
  /** Rows in order. */
  readonly rows: readonly ReportRow[];
}

/** A figure. */
export interface ReportFigure {
  /** Stable key: small letters, digits and _; the SVG file beside the report is called so. */
  readonly key: string;
  /** What it shows, in words, also for those who cannot see it. */
  readonly title: string;
  /** SVG document. */
  readonly svg: string;
}

/** A value of the manifest. */
export type ManifestValue = string | number | boolean | null | readonly ManifestValue[] | {
  readonly [key: string]: ManifestValue;
};

/** A report. */
export interface Report {
  /** Heading, such as "Annotation: pbmc3k to pbmc4k". */
  readonly title: string;
  /** The result in one or two sentences. */
  readonly summary?: string;
  /** What decided the numbers: data, model, settings, seeds, versions, device. */
  readonly manifest: Readonly<Record<string, ManifestValue>>;
  /** Tables in order. */
  readonly tables: readonly ReportTable[];
  /** Figures in order. */
  readonly figures: readonly ReportFigure[];
  /** Remarks on the results. */
  readonly notes: readonly string[];
  /** What the numbers do not show. */
  readonly limits: readonly string[];
}

const KEY = /^[a-z][a-z0-9_]*$/;

/**
 * Refuses a report whose keys or numbers could not be written.
 *
 * @param report Report
 * @throws {RangeError} When a key is odd or not unique, a cell has no column, or a number is not finite
 */
export function checkReport({ tables, figures }: Report): void {
  checkKeys("tables", tables);
  checkKeys("figures", figures);
  for (const { key, columns, rows } of tables) {
    checkKeys(`columns of table "${key}"`, columns);
    for (const { name, cells } of rows) {
      for (const [column, cell] of Object.entries(cells)) {
        const place = `table "${key}", row "${name}", column "${column}"`;
        if (!columns.some(({ key }) => key === column)) {
          throw new RangeError(
            `Cannot write ${place} as it must be one of ${
              columns.map(({ key }) => key).join(", ")
            }`,
          );
        }
        const numbers = typeof cell === "number" ? [cell] : Array.isArray(cell) ? cell : undefined;
        const strange = numbers?.find((value) => !Number.isFinite(value));
        if (strange === undefined && numbers?.length !== 0) continue;
        throw new RangeError(
          `Cannot write ${place} as numbers must be finite, or a text say why there is none: got ${
            strange ?? "an empty list"
          }`,
        );
      }
    }
  }
}

function checkKeys(what: string, entries: readonly { readonly key: string }[]): void {
  entries.forEach(({ key }, at) => {
    const first = entries.findIndex((other) => other.key === key);
    if (KEY.test(key) && first === at) return;
    throw new RangeError(
      `Cannot write the ${what} as keys must be unique, of small letters, digits and _: got "${key}" at ${at}`,
    );
  });
}
