/** What a filter says, as a tree: what parsers make and evaluators read. */

/** A value in a filter; null stands for a missing one. */
export type FilterConstant = string | number | boolean | null;

/** Comparisons. */
export type FilterComparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A column that a filter names. */
export interface ColumnRef {
  /** Tells columns from values. */
  readonly kind: "column";
  /** Name of the column. */
  readonly name: string;
  /** Where the name stands in the text. */
  readonly at: number;
}

/** A value that a filter has. */
export interface FilterLiteral {
  /** Tells values from columns. */
  readonly kind: "literal";
  /** The value. */
  readonly value: FilterConstant;
  /** Where it stands in the text. */
  readonly at: number;
}

/** A condition on rows. */
export type FilterNode =
  /** A column compared with a value, or with another column. */
  | {
    readonly kind: "compare";
    readonly op: FilterComparison;
    readonly column: ColumnRef;
    readonly to: ColumnRef | FilterLiteral;
  }
  /** A column whose value is one of a list. */
  | { readonly kind: "in"; readonly column: ColumnRef; readonly values: readonly FilterConstant[] }
  /** A boolean column by itself. */
  | { readonly kind: "truth"; readonly column: ColumnRef }
  /** All terms hold. */
  | { readonly kind: "and"; readonly terms: readonly FilterNode[] }
  /** Any of the terms holds. */
  | { readonly kind: "or"; readonly terms: readonly FilterNode[] }
  /** The opposite. */
  | { readonly kind: "not"; readonly term: FilterNode };

/** Names of the columns that a condition reads, each once, in the order of the text. */
export function columnsIn(node: FilterNode): string[] {
  const names = new Set<string>();
  const visit = (inner: FilterNode): void => {
    if (inner.kind === "and" || inner.kind === "or") return inner.terms.forEach(visit);
    if (inner.kind === "not") return visit(inner.term);
    names.add(inner.column.name);
    if (inner.kind === "compare" && inner.to.kind === "column") names.add(inner.to.name);
  };
  visit(node);
  return [...names];
}
