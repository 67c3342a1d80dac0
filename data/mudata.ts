/** Multimodal data: several AnnData whose cells, genes or both belong together. */
import type { AnnData, AxisArray, Named } from "./anndata.ts";
import { checkIndices, checkOptions } from "./checks.ts";
import { DataFrame } from "./dataframe.ts";
import { LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix } from "./matrix.ts";
import { selectMatrix } from "./matrix_select.ts";
import { jointIndex, jointMaps, type Shared } from "./mudata_index.ts";
import { pulledFrame } from "./mudata_pull.ts";
import type { UnsValue } from "./uns.ts";

/** What the modalities share: 0 the cells, 1 the genes, -1 both. */
export type MuDataAxis = 0 | 1 | -1;

/** Place of each joint row in every modality, counted from 1; 0 where the modality does not have it. */
export type AxisMap = Readonly<Record<string, Uint32Array>>;

/** What multimodal data are made of. */
export interface MuDataParts {
  /** The modalities by name, in order. */
  readonly mod: Readonly<Record<string, AnnData>>;
  /** What they share; 0, the cells, unless told. */
  readonly axis?: MuDataAxis;
  /** All cells, with the columns that belong to no modality; made of the names of the modalities' cells unless told. */
  readonly obs?: DataFrame;
  /** All genes, likewise. */
  readonly var?: DataFrame;
  /** Arrays along all cells, such as joint embeddings. */
  readonly obsm?: Named<AxisArray>;
  /** Arrays along all genes. */
  readonly varm?: Named<AxisArray>;
  /** Matrices of cells x cells. */
  readonly obsp?: Named<Matrix>;
  /** Matrices of genes x genes. */
  readonly varp?: Named<Matrix>;
  /** Place of each cell in every modality; found by the names unless told. */
  readonly obsmap?: AxisMap;
  /** Place of each gene in every modality; found by the names unless told. */
  readonly varmap?: AxisMap;
  /** Anything else. */
  readonly uns?: Named<UnsValue>;
}

const PARTS = "mod axis obs var obsm varm obsp varp obsmap varmap uns".split(" ");

/** The joint tables as they are stored: without the columns that the modalities have. */
export let ownFrames: (mdata: MuData) => { obs: DataFrame; var: DataFrame };

/** The values as a lazy map. */
function named<T>(name: string, values: Named<T> = {}): LazyMap<T> {
  return values instanceof LazyMap ? values : LazyMap.of(name, values);
}

/** Rows of a matrix or table. */
function selectAxis(value: AxisArray, rows: ArrayLike<number>): AxisArray {
  return isMatrix(value) ? selectMatrix(value, { rows }) : value.take(rows);
}

/** Refuses a map that does not fit the joint rows or the modality. */
function checkMap(
  name: string,
  map: Uint32Array | undefined,
  { length, most }: { length: number; most: number },
): void {
  if (map === undefined || map.length !== length) {
    throw new RangeError(
      `Cannot make a MuData as ${name} must have ${length} places: got ${map?.length ?? "none"}`,
    );
  }
  const bad = map.findIndex((place) => place > most);
  if (bad !== -1) {
    throw new RangeError(
      `Cannot make a MuData as ${name} must have places in 0 .. ${most}: got ${
        map[bad]
      } in row ${bad}`,
    );
  }
}

/** Places of the chosen joint rows: those in a modality, in order, and the map of the view. */
function selectMap(
  map: Uint32Array,
  rows: ArrayLike<number>,
): { kept: number[]; map: Uint32Array } {
  const kept: number[] = [];
  const selected = new Uint32Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const place = map[rows[k]!]!;
    if (place > 0) selected[k] = kept.push(place - 1);
  }
  return { kept, map: selected };
}

/**
 * Multimodal data as Python's mudata has them: modalities, and what belongs to all of their cells and genes. Nothing but names and
 * places is held. A MuData does not change.
 */
export class MuData {
  /** The modalities by name, in order. */
  readonly mod: Readonly<Record<string, AnnData>>;
  /** What they share: 0 the cells, 1 the genes, -1 both. */
  readonly axis: MuDataAxis;
  /** All cells: the columns of the modalities as `rna:n_genes`, missing where one lacks a cell, then the columns of their own. */
  readonly obs: DataFrame;
  /** All genes: columns that every modality has under their own name where no gene is in two, the others as `rna:mean`. */
  readonly var: DataFrame;
  /** Arrays along all cells. */
  readonly obsm: LazyMap<AxisArray>;
  /** Arrays along all genes. */
  readonly varm: LazyMap<AxisArray>;
  /** Matrices of cells x cells. */
  readonly obsp: LazyMap<Matrix>;
  /** Matrices of genes x genes. */
  readonly varp: LazyMap<Matrix>;
  /** Place of each cell in every modality, from 1; 0 where it is not there. */
  readonly obsmap: AxisMap;
  /** Place of each gene in every modality, from 1; 0 where it is not there. */
  readonly varmap: AxisMap;
  /** Anything else. */
  readonly uns: LazyMap<UnsValue>;
  readonly #own: { obs: DataFrame; var: DataFrame };
  readonly #close: () => void;

  static {
    ownFrames = (mdata) => mdata.#own;
  }

  private constructor(parts: MuDataParts, close: () => void) {
    const { mod, axis = 0 } = parts;
    this.mod = mod;
    this.axis = axis;
    const frame = (shared: Shared) =>
      parts[shared] ?? new DataFrame({ index: jointIndex(mod, axis, shared) });
    this.#own = { obs: frame("obs"), var: frame("var") };
    this.obsmap = parts.obsmap ?? jointMaps(mod, "obs", this.#own.obs.index);
    this.varmap = parts.varmap ?? jointMaps(mod, "var", this.#own.var.index);
    for (const [name, adata] of Object.entries(mod)) {
      const { obs, var: vars } = this.#own;
      checkMap(`obsmap ${name}`, this.obsmap[name], { length: obs.length, most: adata.nObs });
      checkMap(`varmap ${name}`, this.varmap[name], { length: vars.length, most: adata.nVars });
    }
    this.obs = pulledFrame(this.#own.obs, { mod, shared: "obs", axis, maps: this.obsmap });
    this.var = pulledFrame(this.#own.var, { mod, shared: "var", axis, maps: this.varmap });
    this.obsm = named("obsm", parts.obsm);
    this.varm = named("varm", parts.varm);
    this.obsp = named("obsp", parts.obsp);
    this.varp = named("varp", parts.varp);
    this.uns = named("uns", parts.uns);
    this.#close = close;
  }

  /**
   * Makes multimodal data of parts in memory.
   *
   * @param parts The modalities, and whatever else there is.
   * @param options `close`: called when the MuData is closed.
   * @throws {RangeError} Where names on the shared axis repeat, or a map does not fit.
   *
   * @example A cell with genes and proteins, and one with proteins alone
   * ```ts
   * import assert from "node:assert/strict";
   * import { AnnData, DataFrame, denseMatrix, MuData } from "@scgpt/sdk/data";
   *
   * const cells = (index: string[], name: string) =>
   *   AnnData.fromParts({
   *     obs: new DataFrame({ index }).with("total", new Float32Array(index.length).fill(3)),
   *     var: new DataFrame({ index: [name] }),
   *     X: denseMatrix(new Float32Array(index.length), [index.length, 1]),
   *   });
   * const mdata = MuData.fromParts({ mod: { rna: cells(["a"], "CD3D"), prot: cells(["b", "a"], "CD3") } });
   * assert.deepEqual(mdata.obsNames, ["a", "b"]);
   * assert.deepEqual([...(await mdata.obs.column("rna:total")).values()], [3, NaN]);
   * assert.deepEqual(mdata.select({ obs: [0] }).mod.prot?.obsNames, ["a"]);
   * ```
   */
  static fromParts(parts: MuDataParts, options: { close?: () => void } = {}): MuData {
    checkOptions("make a MuData", parts, PARTS);
    checkOptions("make a MuData", options, ["close"]);
    const { axis = 0, mod } = parts;
    if (![0, 1, -1].includes(axis)) {
      throw new RangeError(`Cannot make a MuData as axis must be 0, 1 or -1: got ${axis}`);
    }
    const names = Object.keys(mod);
    const bad = names.find((name) => name === "" || /[/:]/.test(name));
    if (names.length === 0 || bad !== undefined) {
      throw new RangeError(
        `Cannot make a MuData as there must be modalities whose names have neither "/" nor ":": got ${
          JSON.stringify(bad ?? names)
        }`,
      );
    }
    return new MuData(parts, options.close ?? (() => {}));
  }

  /** Number of cells in any modality. */
  get nObs(): number {
    return this.obs.length;
  }

  /** Number of genes and other features in any modality. */
  get nVars(): number {
    return this.var.length;
  }

  /** Names of all cells. */
  get obsNames(): readonly string[] {
    return this.obs.index;
  }

  /** Names of all features. */
  get varNames(): readonly string[] {
    return this.var.index;
  }

  /**
   * A view of some cells and features, in which every modality has those of them that it had, in the view's order.
   *
   * @param selection `obs`: rows of the joint `obs`; `var`: rows of the joint `var`; all where one is absent.
   * @throws {RangeError} Where an index does not exist or repeats.
   */
  select(selection: { obs?: ArrayLike<number>; var?: ArrayLike<number> }): MuData {
    checkOptions("select", selection, ["obs", "var"]);
    const { obs: rows, var: columns } = selection;
    if (rows) checkIndices(rows, this.nObs, { act: "select cells", unique: true });
    if (columns) checkIndices(columns, this.nVars, { act: "select features", unique: true });
    const mod: Record<string, AnnData> = {};
    const obsmap: Record<string, Uint32Array> = { ...this.obsmap };
    const varmap: Record<string, Uint32Array> = { ...this.varmap };
    for (const [name, adata] of Object.entries(this.mod)) {
      const cells = rows && selectMap(this.obsmap[name]!, rows);
      const features = columns && selectMap(this.varmap[name]!, columns);
      if (cells) obsmap[name] = cells.map;
      if (features) varmap[name] = features.map;
      mod[name] = adata.select({
        ...cells && { obs: cells.kept },
        ...features && { var: features.kept },
      });
    }
    const square = (along: ArrayLike<number>) => (matrix: Matrix) =>
      selectMatrix(matrix, { rows: along, columns: along });
    return new MuData({
      mod,
      axis: this.axis,
      obs: rows ? this.#own.obs.take(rows) : this.#own.obs,
      var: columns ? this.#own.var.take(columns) : this.#own.var,
      obsm: rows ? this.obsm.map((value) => selectAxis(value, rows)) : this.obsm,
      varm: columns ? this.varm.map((value) => selectAxis(value, columns)) : this.varm,
      obsp: rows ? this.obsp.map(square(rows)) : this.obsp,
      varp: columns ? this.varp.map(square(columns)) : this.varp,
      obsmap,
      varmap,
      uns: this.uns,
    }, this.#close);
  }

  /** Closes the file; what was not read yet can then not be read any more, in views and modalities too. */
  close(): void {
    this.#close();
  }

  /** The same as {@linkcode MuData.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
