/** Annotated data: a matrix of cells x genes with everything that belongs to its axes. */
import { AnnDataQuery } from "./anndata_query.ts";
import type { AwkwardArray } from "./awkward.ts";
import { checkIndices, checkOptions } from "./checks.ts";
import type { DataFrame } from "./dataframe.ts";
import { matchRows } from "./filter/evaluate.ts";
import type { Filter } from "./filter/template.ts";
import type { Schema } from "./frame/schema.ts";
import { keptRows } from "./frame/take.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { selectMatrix } from "./matrix_select.ts";
import { selectedRows, type Selector } from "./selectors.ts";
import type { UnsValue } from "./uns.ts";

/** What `obsm` and `varm` hold: a matrix, a table or lists of any length, with one row for each cell or gene. */
export type AxisArray = Matrix | DataFrame | AwkwardArray;

/** The data before genes were filtered: all genes, with a table of their own. */
export interface Raw {
  /** Values of cells x all genes. */
  readonly X: Matrix;
  /** The genes. */
  readonly var: DataFrame;
  /** Arrays along the genes. */
  readonly varm: LazyMap<AxisArray>;
}

/** Values by name: in memory, or read when asked for. */
export type Named<T> = Readonly<Record<string, T>> | LazyMap<T>;

/** What annotated data are made of. */
export interface AnnDataParts<O extends Schema = Schema, V extends Schema = Schema> {
  /** The cells. */
  readonly obs: DataFrame<O>;
  /** The genes. */
  readonly var: DataFrame<V>;
  /** Values of cells x genes. */
  readonly X?: Matrix;
  /** Other values of cells x genes. */
  readonly layers?: Named<Matrix>;
  /** Arrays along the cells, such as embeddings. */
  readonly obsm?: Named<AxisArray>;
  /** Arrays along the genes. */
  readonly varm?: Named<AxisArray>;
  /** Matrices of cells x cells. */
  readonly obsp?: Named<Matrix>;
  /** Matrices of genes x genes. */
  readonly varp?: Named<Matrix>;
  /** Anything else. */
  readonly uns?: Named<UnsValue>;
  /** The data before genes were filtered. */
  readonly raw?: Raw;
}

const PARTS = ["obs", "var", "X", "layers", "obsm", "varm", "obsp", "varp", "uns", "raw"];

/** Which cells and genes a view shows; all where one is absent. */
export interface Selection {
  /** Cells, in the view's order. */
  readonly obs?: Selector;
  /** Genes, in the view's order. */
  readonly var?: Selector;
}

/** The values as a lazy map. */
function named<T>(name: string, values: Named<T> = {}): LazyMap<T> {
  return values instanceof LazyMap ? values : LazyMap.of(name, values);
}

/** Rows of a matrix or table. */
function selectAxis(value: AxisArray, rows: ArrayLike<number>): AxisArray {
  return isMatrix(value) ? selectMatrix(value, { rows }) : value.take(rows);
}

/** The map with the values of `more` added or replaced. */
function merged<T>(name: string, map: LazyMap<T>, more: Named<T> | undefined): LazyMap<T> {
  if (more === undefined) return map;
  return more instanceof LazyMap ? more : named(name, map).with(more);
}

/**
 * Annotated data as Python's anndata has them. Nothing but the names of cells and genes is held: X, layers, columns and
 * the rest are read when they are asked for. An AnnData does not change: see {@linkcode AnnData.with}. `O` and `V` say which
 * columns of obs and var are known.
 */
export class AnnData<out O extends Schema = Schema, out V extends Schema = Schema> {
  /** The cells. */
  readonly obs: DataFrame<O>;
  /** The genes. */
  readonly var: DataFrame<V>;
  /** Values of cells x genes; undefined where the file has none, which is legal. */
  readonly X: Matrix | undefined;
  /** Other values of cells x genes. */
  readonly layers: LazyMap<Matrix>;
  /** Arrays along the cells, such as embeddings. */
  readonly obsm: LazyMap<AxisArray>;
  /** Arrays along the genes. */
  readonly varm: LazyMap<AxisArray>;
  /** Matrices of cells x cells. */
  readonly obsp: LazyMap<Matrix>;
  /** Matrices of genes x genes. */
  readonly varp: LazyMap<Matrix>;
  /** Anything else. */
  readonly uns: LazyMap<UnsValue>;
  /** The data before genes were filtered. */
  readonly raw: Raw | undefined;
  readonly #close: () => void;

  private constructor(parts: AnnDataParts<O, V>, close: () => void) {
    this.obs = parts.obs;
    this.var = parts.var;
    this.X = parts.X;
    this.layers = named("layers", parts.layers);
    this.obsm = named("obsm", parts.obsm);
    this.varm = named("varm", parts.varm);
    this.obsp = named("obsp", parts.obsp);
    this.varp = named("varp", parts.varp);
    this.uns = named("uns", parts.uns);
    this.raw = parts.raw;
    this.#close = close;
    const { X } = this;
    if (X !== undefined && (X.shape[0] !== this.nObs || X.shape[1] !== this.nVars)) {
      throw new RangeError(
        `Cannot make an AnnData as X must be ${this.nObs} x ${this.nVars}: got ${X.shape[0]} x ${
          X.shape[1]
        }`,
      );
    }
  }

  /**
   * Makes annotated data of parts in memory.
   *
   * @param parts obs and var, and whatever else there is.
   * @param options `close`: called when the AnnData is closed.
   * @throws {RangeError} Where X does not fit obs and var.
   *
   * @example Two cells, one gene
   * ```ts
   * import assert from "node:assert/strict";
   * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
   *
   * const adata = AnnData.fromParts({
   *   X: denseMatrix(Float32Array.of(1, 2), [2, 1]),
   *   obs: new DataFrame({ index: ["cell1", "cell2"] }),
   *   var: new DataFrame({ index: ["TP53"] }),
   * });
   * assert.equal(adata.nObs, 2);
   * ```
   */
  static fromParts<O extends Schema = Schema, V extends Schema = Schema>(
    parts: AnnDataParts<O, V>,
    options: { close?: () => void } = {},
  ): AnnData<O, V> {
    checkOptions("make an AnnData", parts, PARTS);
    checkOptions("make an AnnData", options, ["close"]);
    return new AnnData(parts, options.close ?? (() => {}));
  }

  /** Number of cells. */
  get nObs(): number {
    return this.obs.length;
  }

  /** Number of genes. */
  get nVars(): number {
    return this.var.length;
  }

  /** Names of the cells. */
  get obsNames(): readonly string[] {
    return this.obs.index;
  }

  /** Names of the genes. */
  get varNames(): readonly string[] {
    return this.var.index;
  }

  /** X, or one of the layers; throws `RangeError` where there is none. */
  async matrix(layer?: string): Promise<Matrix> {
    if (layer !== undefined) return await this.layers.need(layer);
    if (this.X === undefined) {
      throw new RangeError(
        `Cannot read X as this AnnData has none; its layers are: ${
          this.layers.keys().join(", ") || "none"
        }`,
      );
    }
    return this.X;
  }

  /**
   * Annotated data with parts added or replaced.
   *
   * @param parts obs, var, X and raw replace what is there; the entries of the others are added to those there are,
   *   and a LazyMap replaces them all.
   * @returns A new AnnData over the same file; this one stays as it is.
   */
  with<P extends Schema = O, W extends Schema = V>(
    parts: Partial<AnnDataParts<P, W>>,
  ): AnnData<P, W> {
    checkOptions("change an AnnData", parts, PARTS);
    const { X = this.X, raw = this.raw } = parts;
    return new AnnData({
      obs: parts.obs ?? this.obs as unknown as DataFrame<P>,
      var: parts.var ?? this.var as unknown as DataFrame<W>,
      ...X && { X },
      ...raw && { raw },
      layers: merged("layers", this.layers, parts.layers),
      obsm: merged("obsm", this.obsm, parts.obsm),
      varm: merged("varm", this.varm, parts.varm),
      obsp: merged("obsp", this.obsp, parts.obsp),
      varp: merged("varp", this.varp, parts.varp),
      uns: merged("uns", this.uns, parts.uns),
    }, this.#close);
  }

  /**
   * The cells or genes for which filters hold.
   *
   * @param filters Conditions made by {@linkcode obs} and {@linkcode vars}, all of which must hold.
   * @returns A query to await, or to chain.
   * @throws {TypeError} Where a filter does not say whether it is about cells or genes; when awaited, where a column cannot be
   *   compared so.
   * @throws {RangeError} When awaited, where a column is missing.
   *
   * @example Cells of a tissue, and two of the genes
   * ```ts
   * import assert from "node:assert/strict";
   * import { obs } from "@scgpt/sdk/data";
   * import { openH5ad } from "@scgpt/sdk/data/h5ad";
   *
   * using adata = await openH5ad("tests/fixtures/h5ad/columns.h5ad");
   * const view = await adata.filter(obs`label == "T" && n_genes > ${2}`)
   *   .select({ var: ["MS4A1", "TP53"] });
   * assert.deepEqual([view.obsNames, view.varNames], [["cell0"], ["MS4A1", "TP53"]]);
   * ```
   */
  filter(...filters: readonly Filter[]): AnnDataQuery<O, V> {
    for (const { axis, text } of filters) {
      if (axis !== undefined) continue;
      throw new TypeError(
        `Cannot filter an AnnData as a filter must be made by obs or vars: got one by where (${text})`,
      );
    }
    return new AnnDataQuery(async () => {
      const rows = async (axis: "obs" | "var") => {
        const own = filters.filter((filter) => filter.axis === axis);
        const frame: DataFrame = this[axis];
        const keep = await Promise.all(own.map((filter) => matchRows(filter, frame)));
        if (keep.length === 0) return {};
        return { [axis]: keptRows(keep.reduce((a, b) => a.map((one, row) => one & b[row]!))) };
      };
      return this.select({ ...await rows("obs"), ...await rows("var") });
    });
  }

  /**
   * A view of some cells and genes, which reads when it is asked for.
   *
   * @param selection `obs` and `var`: numbers, names, or truth values of rows, or `{ start, end }`; all where one is absent.
   * @returns The view; `uns` is shared, and `raw` keeps all its genes.
   * @throws {RangeError} Where a row does not exist or repeats, or a name belongs to several.
   */
  select(selection: Selection): AnnData<O, V> {
    checkOptions("select", selection, ["obs", "var"]);
    const rows = selection.obs &&
      selectedRows(selection.obs, { what: "cells", length: this.nObs, index: this.obsNames });
    const columns = selection.var &&
      selectedRows(selection.var, { what: "genes", length: this.nVars, index: this.varNames });
    if (rows) checkIndices(rows, this.nObs, { act: "select cells", unique: true });
    if (columns) checkIndices(columns, this.nVars, { act: "select genes", unique: true });
    const both = { ...rows && { rows }, ...columns && { columns } };
    const square = (along: ArrayLike<number>) => (matrix: Matrix) =>
      selectMatrix(matrix, { rows: along, columns: along });
    return new AnnData({
      obs: rows ? this.obs.take(rows) : this.obs,
      var: columns ? this.var.take(columns) : this.var,
      ...this.X && { X: selectMatrix(this.X, both) },
      layers: rows || columns ? this.layers.map((m) => selectMatrix(m, both)) : this.layers,
      obsm: rows ? this.obsm.map((value) => selectAxis(value, rows)) : this.obsm,
      varm: columns ? this.varm.map((value) => selectAxis(value, columns)) : this.varm,
      obsp: rows ? this.obsp.map(square(rows)) : this.obsp,
      varp: columns ? this.varp.map(square(columns)) : this.varp,
      uns: this.uns,
      ...this.raw && {
        raw: rows ? { ...this.raw, X: selectMatrix(this.raw.X, { rows }) } : this.raw,
      },
    }, this.#close);
  }

  /** Shape and keys, as Python's anndata prints them. */
  toString(): string {
    const lines = Object.entries({
      obs: this.obs.columns(),
      var: this.var.columns(),
      uns: this.uns.keys(),
      obsm: this.obsm.keys(),
      varm: this.varm.keys(),
      layers: this.layers.keys(),
      obsp: this.obsp.keys(),
      varp: this.varp.keys(),
    }).filter(([, keys]) => keys.length > 0).map(([name, keys]) =>
      `    ${name}: ${keys.map((key) => `'${key}'`).join(", ")}`
    );
    const head = `AnnData object with n_obs × n_vars = ${this.nObs} × ${this.nVars}`;
    return [head, ...lines].join("\n");
  }

  /** What Deno's console shows. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Closes the file; what was not read yet can then not be read any more, in views too. */
  close(): void {
    this.#close();
  }

  /** The same as {@linkcode AnnData.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
