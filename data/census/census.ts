/** The Census: questions to an opened release. */
import { AnnData } from "../anndata.ts";
import { checkOptions, describeNames } from "../checks.ts";
import type { DataFrame } from "../dataframe.ts";
import type { Matrix } from "../matrix.ts";
import type {
  SomaCollection,
  SomaExperiment,
  SomaSparseNDArray,
  SomaTable,
  Store,
} from "../soma/mod.ts";
import { presenceMatrix, readEmbedding } from "./axis_arrays.ts";
import { type CensusBatch, type CensusBatchOptions, readBatches } from "./batches.ts";
import { toDataFrame } from "./frame.ts";
import { type AxisOptions, type CensusQuery, choose, QUERY, readAxis } from "./query.ts";
import type { CensusRelease } from "./releases.ts";

/** What an opened Census is made of. */
export interface CensusParts {
  /** Its root. */
  readonly root: SomaCollection;
  /** Its release, where it was opened by name. */
  readonly release: CensusRelease | undefined;
  /** Where its source files lie, and the address of that; undefined where it was opened by an address alone. */
  readonly h5ads: { readonly uri: string; readonly store: Store } | undefined;
  /** Opens the embedding of a name for an organism. */
  readonly openEmbedding: (
    name: string,
    organism: string,
    signal?: AbortSignal,
  ) => Promise<SomaSparseNDArray>;
}

/** "Homo sapiens" as the Census writes it: "homo_sapiens". */
function experimentName(organism: string): string {
  return organism.trim().toLowerCase().replaceAll(" ", "_");
}

/** An opened release of the Census. Nothing is held but where things are; nothing has to be closed. */
export class Census {
  /** The release, where it was opened by name; undefined where it was opened by address. */
  readonly release: CensusRelease | undefined;
  /** The SOMA collection, for what this class does not do. */
  readonly root: SomaCollection;
  readonly #parts: CensusParts;

  /** @internal Made by {@linkcode openCensus}. */
  constructor(parts: CensusParts) {
    this.root = parts.root;
    this.release = parts.release;
    this.#parts = parts;
  }

  /** Facts of the release by label: schema versions, build date, numbers of cells. */
  async summary(): Promise<ReadonlyMap<string, string>> {
    const table = await this.#info("summary");
    return new Map(
      Array.from({ length: table.length }, (_, row) => [
        String(table.at("label", row)),
        String(table.at("value", row)),
      ]),
    );
  }

  /** The datasets of the release. */
  async datasets(): Promise<DataFrame> {
    return toDataFrame(await this.#info("datasets"), { index: "soma_joinid" });
  }

  async #info(name: string): Promise<SomaTable> {
    const frame = await this.root.open(`census_info/${name}`, "SOMADataFrame");
    return await frame.readAll();
  }

  /** Names of the organisms. */
  async organisms(): Promise<readonly string[]> {
    return (await this.root.open("census_data", "SOMACollection")).keys();
  }

  /**
   * The experiment of an organism.
   *
   * @throws {RangeError} Where there is none; the message lists those there are.
   */
  async experiment(organism: string): Promise<SomaExperiment> {
    const data = await this.root.open("census_data", "SOMACollection");
    const name = experimentName(organism);
    if (data.has(name)) return await data.open(name, "SOMAExperiment");
    throw new RangeError(
      `Cannot read the organism ${JSON.stringify(organism)} as there is none: ${
        describeNames(name, data.keys())
      }`,
    );
  }

  /** Cells of an organism: rows are named by `soma_joinid`. */
  async getObs(organism: string, options: AxisOptions = {}): Promise<DataFrame> {
    const obs = await (await this.experiment(organism)).obs();
    return (await readAxis(obs, options, "soma_joinid")).frame;
  }

  /** Genes of an organism: rows are named by `feature_id`, as names are not unique. */
  async getVar(organism: string, options: AxisOptions = {}): Promise<DataFrame> {
    const genes = await (await (await this.experiment(organism)).ms("RNA")).var();
    return (await readAxis(genes, options, "feature_id")).frame;
  }

  /**
   * Cells and genes of the Census as annotated data. The tables are in memory; X is read when it is asked for, by ranges of
   * rows.
   *
   * @param query Which cells and genes.
   * @throws {ValueFilterError} Where a filter does not fit the columns.
   */
  async getAnnData(query: CensusQuery): Promise<AnnData> {
    checkOptions("read the Census", query, QUERY);
    const { obs, var: genes, X } = await choose(await this.experiment(query.organism), query);
    return AnnData.fromParts({ X, obs, var: genes });
  }

  /**
   * Streams batches of cells, in the order of the store or shuffled by blocks. Labels are read first, for all cells; values
   * are held for one batch, or for the blocks that are mixed.
   *
   * @param options Which cells, and how.
   */
  async *batches(options: CensusBatchOptions): AsyncGenerator<CensusBatch, void, undefined> {
    const { size, shuffle, ...query } = options;
    checkOptions("read batches of the Census", query, QUERY);
    const chosen = await choose(await this.experiment(query.organism), query);
    const { signal } = query;
    yield* readBatches(chosen, { size, ...shuffle && { shuffle }, ...signal && { signal } });
  }

  /**
   * Which genes were measured in which datasets: rows are datasets by their `soma_joinid`, columns genes by theirs, and 1
   * stands where a gene was measured.
   */
  async getPresenceMatrix(organism: string, measurementName = "RNA"): Promise<Matrix> {
    const experiment = await this.experiment(organism);
    const path = `ms/${measurementName}/feature_dataset_presence_matrix`;
    const array = await experiment.open(path, "SOMASparseNDArray");
    const table = await array.readAll();
    return presenceMatrix(table, array.shape as [number, number]);
  }

  /**
   * Vectors of cells that were made by others, such as "scgpt".
   *
   * @param name Name of the embedding.
   * @param joinids `soma_joinid` of the cells, in the order of the rows.
   * @param options `organism`: "homo_sapiens" unless given; `signal`: stops the reading.
   * @returns Cells x width, NaN for cells without a vector.
   * @throws {RangeError} Where there is no such embedding for this release.
   */
  async getEmbedding(
    name: string,
    joinids: ArrayLike<number>,
    options: { readonly organism?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Matrix> {
    checkOptions("read an embedding", options, ["organism", "signal"]);
    const { organism = "homo_sapiens", signal } = options;
    const array = await this.#parts.openEmbedding(name, experimentName(organism), signal);
    return await readEmbedding(array, joinids, signal);
  }

  /**
   * Address of the h5ad file that a dataset came as.
   *
   * @param datasetId `dataset_id` of the dataset.
   * @throws {RangeError} Where there is no such dataset, or the Census was opened by an address alone.
   */
  async getSourceH5adUri(datasetId: string): Promise<string> {
    const { path } = await this.sourceH5ad(datasetId);
    return `${this.#parts.h5ads!.uri.replace(/\/+$/, "")}/${path}`;
  }

  /** Store and path of the h5ad file that a dataset came as, for reading it; throws as `getSourceH5adUri` does. */
  async sourceH5ad(datasetId: string): Promise<{ readonly store: Store; readonly path: string }> {
    const { h5ads } = this.#parts;
    if (h5ads === undefined) {
      throw new RangeError(
        "Cannot tell where source files lie as the Census must be opened by its version or with h5ads: got an address alone",
      );
    }
    const frame = await this.root.open("census_info/datasets", "SOMADataFrame");
    const found = await frame.readAll({
      valueFilter: `dataset_id == ${JSON.stringify(datasetId)}`,
      columns: ["dataset_h5ad_path"],
    });
    if (found.length === 0) {
      const all = await frame.readAll({ columns: ["dataset_id"] });
      const ids = Array.from({ length: all.length }, (_, row) => String(all.at("dataset_id", row)));
      throw new RangeError(
        `Cannot find the dataset ${JSON.stringify(datasetId)} as there is none: ${
          describeNames(datasetId, ids)
        }`,
      );
    }
    return { store: h5ads.store, path: String(found.at("dataset_h5ad_path", 0)) };
  }
}
