/** Annotated data: a matrix of cells x genes with everything that belongs to its axes. */
import type { AwkwardArray } from "./awkward.ts";
import { checkIndices, checkOptions } from "./checks.ts";
import type { DataFrame } from "./dataframe.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { selectMatrix } from "./matrix_select.ts";
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
export interface AnnDataParts {
  /** The cells. */
  readonly obs: DataFrame;
  /** The genes. */
  readonly var: DataFrame;
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

/** The values as a lazy map. */
function named<T>(name: string, values: Named<T> = {}): LazyMap<T> {
  return values instanceof LazyMap ? values : LazyMap.of(name, values);
}

/** Rows of a matrix or table. */
function selectAxis(value: AxisArray, rows: ArrayLike<number>): AxisArray {
  return isMatrix(value) ? selectMatrix(value, { rows }) : value.select(rows);
}

/** The map with the values of `more` added or replaced. */
function merged<T>(name: string, map: LazyMap<T>, more: Named<T> | undefined): LazyMap<T> {
  if (more === undefined) return map;
  return more instanceof LazyMap ? more : named(name, map).with(more);
}

/**
 * Annotated data as Python's anndata has them. Nothing but the names of cells and genes is held: X, layers, columns and
 * the rest are read when they are asked for. An AnnData does not change: see {@linkcode AnnData.with}.
 */
export class AnnData {
  /** The cells. */
  readonly obs: DataFrame;
  /** The genes. */
  readonly var: DataFrame;
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

  private constructor(parts: AnnDataParts, close: () => void) {
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
  static fromParts(parts: AnnDataParts, options: { close?: () => void } = {}): AnnData {
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
  with(parts: Partial<AnnDataParts>): AnnData {
    checkOptions("change an AnnData", parts, PARTS);
    const { X = this.X, raw = this.raw } = parts;
    return new AnnData({
      obs: parts.obs ?? this.obs,
      var: parts.var ?? this.var,
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
   * A view of some cells and genes, which reads when it is asked for.
   *
   * @param selection `obs`: rows in the view's order; `var`: columns in the view's order; all where one is absent.
   * @returns The view; `uns` is shared, and `raw` keeps all its genes.
   * @throws {RangeError} Where an index does not exist or repeats.
   */
  select(selection: { obs?: ArrayLike<number>; var?: ArrayLike<number> }): AnnData {
    checkOptions("select", selection, ["obs", "var"]);
    const { obs: rows, var: columns } = selection;
    if (rows) checkIndices(rows, this.nObs, { act: "select cells", unique: true });
    if (columns) checkIndices(columns, this.nVars, { act: "select genes", unique: true });
    const both = { ...rows && { rows }, ...columns && { columns } };
    const square = (along: ArrayLike<number>) => (matrix: Matrix) =>
      selectMatrix(matrix, { rows: along, columns: along });
    return new AnnData({
      obs: rows ? this.obs.select(rows) : this.obs,
      var: columns ? this.var.select(columns) : this.var,
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

  /** Closes the file; what was not read yet can then not be read any more, in views too. */
  close(): void {
    this.#close();
  }

  /** The same as {@linkcode AnnData.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
