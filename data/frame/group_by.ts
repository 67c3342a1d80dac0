/** Groups of a frame's rows. */
import { checkOptions, describeNames } from "../checks.ts";
import type { Column } from "../column.ts";
import type { DataFrame } from "../dataframe.ts";
import {
  aggregate,
  AGGREGATE_NAMES,
  type AggregatedType,
  type Aggregation,
  groupSizes,
} from "./aggregate.ts";
import { factorize } from "./factorize.ts";
import { groupNames, groupRows } from "./groups.ts";
import type { NameOf, Schema } from "./schema.ts";
import type { DataFrameParts } from "./shown.ts";

/** How rows are grouped. */
export interface GroupByOptions {
  /** Leaves out combinations of categories that no row has; they are left out unless told. */
  readonly observed?: boolean;
}

/** Columns of a table of groups: the keys, and what was computed. */
export type GroupedSchema<S extends Schema, K extends string, A> = {
  readonly [N in K | (keyof A & string)]: N extends keyof A ? AggregatedType<S, A[N]>
    : S[N & keyof S];
};

/** Rows grouped by keys, waiting to be aggregated: see {@linkcode DataFrame.groupBy}. */
export class GroupBy<out S extends Schema, K extends string> {
  readonly #frame: DataFrame<S>;
  readonly #keys: readonly K[];
  readonly #observed: boolean;
  readonly #make: (parts: DataFrameParts) => DataFrame;

  /** Groups a frame; `make` makes the frames of results. */
  constructor(
    frame: DataFrame<S>,
    keys: readonly K[],
    options: GroupByOptions & { make: (parts: DataFrameParts) => DataFrame },
  ) {
    checkOptions("group rows", options, ["observed", "make"]);
    if (keys.length === 0) {
      throw new RangeError("Cannot group rows as at least one column must be named: got none");
    }
    this.#frame = frame;
    this.#keys = keys;
    this.#observed = options.observed ?? true;
    this.#make = options.make;
  }

  /**
   * Aggregates columns over each group; rows whose key has no value belong to none.
   *
   * @param outputs For each new column `"size"`, or the column to aggregate and how: `{ mean: ["n_genes", "mean"] }`.
   * @returns A row for each group in the order of the keys: the keys, then the outputs. A sum of nothing is 0, a mean NaN.
   * @throws {RangeError} Where there is no such column or aggregation.
   * @throws {TypeError} Where the column is not of a kind that can be aggregated so.
   */
  async agg<
    const A extends Readonly<Record<string, Aggregation<S>>>,
    R extends Schema = GroupedSchema<S, K, A>,
  >(outputs: A): Promise<DataFrame<NoInfer<R>>> {
    const keys = await Promise.all(this.#keys.map((name) => this.#read(name)));
    const groups = groupRows(keys.map(factorize), this.#observed);
    const columns = this.#keys.map((name, k): [string, Column] => [name, groups.keys[k]!]);
    for (const [name, output] of Object.entries(outputs)) {
      if ((this.#keys as readonly string[]).includes(name)) {
        throw new RangeError(
          `Cannot aggregate as an output must not be called as a key: got ${JSON.stringify(name)}`,
        );
      }
      const made = output === "size"
        ? groupSizes(groups)
        : await this.#aggregated(name, output, groups);
      columns.push([name, made]);
    }
    const index = groupNames(groups);
    const frame: DataFrame = this.#make({ index, columns: Object.fromEntries(columns) });
    return frame as unknown as DataFrame<NoInfer<R>>;
  }

  async #aggregated(
    name: string,
    [of, how]: Exclude<Aggregation<S>, "size">,
    groups: Parameters<typeof aggregate>[2],
  ): Promise<Column> {
    if (!AGGREGATE_NAMES.includes(how)) {
      throw new RangeError(
        `Cannot aggregate ${JSON.stringify(name)} as there is no ${JSON.stringify(how)}: ${
          describeNames(String(how), AGGREGATE_NAMES)
        }`,
      );
    }
    const column = await this.#read(of);
    try {
      return aggregate(column, how, groups);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new TypeError(`${cause.message} (${how} of ${JSON.stringify(of)})`, { cause });
    }
  }

  async #read(name: NameOf<S> | K): Promise<Column> {
    return await (this.#frame as unknown as DataFrame).column(name);
  }
}
