/** Cells and genes of the Census that a query chooses. */
import { checkOptions } from "../checks.ts";
import type { DataFrame } from "../dataframe.ts";
import type { Matrix } from "../matrix.ts";
import type {
  Coordinates,
  SomaDataFrame,
  SomaExperiment,
  SomaTable,
  ValueFilter,
} from "../soma/mod.ts";
import { cellMatrix } from "./cell_matrix.ts";
import { toDataFrame } from "./frame.ts";

/** Rows and columns of a table of the Census. */
export interface AxisOptions {
  /** Which rows, by their values: `tissue_general == "lung" and is_primary_data == True`. */
  readonly valueFilter?: string | ValueFilter;
  /** Which rows, by `soma_joinid`; ranges include both ends. */
  readonly coords?: Coordinates;
  /** Which columns; all unless given. `soma_joinid` always comes. */
  readonly columnNames?: readonly string[];
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** Which cells and genes, and what of them. */
export interface CensusQuery {
  /** "homo_sapiens", or as people write it: "Homo sapiens". */
  readonly organism: string;
  /** Which cells, by their values. */
  readonly obsValueFilter?: string | ValueFilter;
  /** Which cells, by `soma_joinid`. */
  readonly obsCoords?: Coordinates;
  /** Which columns of cells; all unless given. */
  readonly obsColumnNames?: readonly string[];
  /** Which genes, by their values. */
  readonly varValueFilter?: string | ValueFilter;
  /** Which genes, by `soma_joinid`. */
  readonly varCoords?: Coordinates;
  /** Which columns of genes; all unless given. */
  readonly varColumnNames?: readonly string[];
  /** Layer of values: "raw" unless given. */
  readonly XName?: string;
  /** Measurement: "RNA" unless given. */
  readonly measurementName?: string;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** Names of the options of a query. */
export const QUERY = [
  "organism",
  "obsValueFilter",
  "obsCoords",
  "obsColumnNames",
  "varValueFilter",
  "varCoords",
  "varColumnNames",
  "XName",
  "measurementName",
  "signal",
];

/** What a query chooses. */
export interface Chosen {
  /** The cells, by ascending `soma_joinid`, which names them. */
  readonly obs: DataFrame;
  /** The genes, by ascending `soma_joinid`, named by `feature_id`. */
  readonly var: DataFrame;
  /** `soma_joinid` of the cells. */
  readonly obsIds: Float64Array;
  /** Values of cells x genes, read when they are asked for. */
  readonly X: Matrix;
}

/** An axis: its table, and the ids of its rows. */
interface Axis {
  readonly frame: DataFrame;
  readonly ids: Float64Array;
}

/** Reads an axis by ascending `soma_joinid`, which always comes; `index` names the rows, and comes too. */
export async function readAxis(
  frame: SomaDataFrame,
  options: AxisOptions,
  index: string,
): Promise<Axis> {
  checkOptions("read the Census", options, ["valueFilter", "coords", "columnNames", "signal"]);
  const { valueFilter, coords, columnNames, signal } = options;
  const table = await frame.readAll({
    ...valueFilter !== undefined && { valueFilter },
    ...coords !== undefined && { coords: { soma_joinid: coords } },
    ...columnNames && { columns: [...new Set(["soma_joinid", index, ...columnNames])] },
    ...signal && { signal },
  });
  return ascending(table, index);
}

/** The rows of a table by ascending `soma_joinid`: stores that were written in parts may have another order. */
function ascending(table: SomaTable, index: string): Axis {
  const ids = table.column("soma_joinid", "numeric").data as Float64Array;
  const frame = toDataFrame(table, { index });
  if (ids.every((id, row) => row === 0 || id > ids[row - 1]!)) return { frame, ids };
  const order = Uint32Array.from(ids, (_, row) => row).sort((a, b) => ids[a]! - ids[b]!);
  return { frame: frame.take(order), ids: Float64Array.from(order, (row) => ids[row]!) };
}

/** Reads the tables of a query; values are read later. */
export async function choose(experiment: SomaExperiment, query: CensusQuery): Promise<Chosen> {
  const { signal, XName = "raw", measurementName = "RNA" } = query;
  const measurement = await experiment.ms(measurementName);
  const axis = (name: "obs" | "var"): AxisOptions => ({
    ...query[`${name}ValueFilter`] !== undefined && { valueFilter: query[`${name}ValueFilter`]! },
    ...query[`${name}Coords`] !== undefined && { coords: query[`${name}Coords`]! },
    ...query[`${name}ColumnNames`] && { columnNames: query[`${name}ColumnNames`]! },
    ...signal && { signal },
  });
  const [cells, genes, array] = await Promise.all([
    experiment.obs().then((obs) => readAxis(obs, axis("obs"), "soma_joinid")),
    measurement.var().then((frame) => readAxis(frame, axis("var"), "feature_id")),
    measurement.X(XName),
  ]);
  const allGenes = genes.ids.length === array.shape[1];
  const X = cellMatrix(array, { obs: cells.ids, var: allGenes ? undefined : genes.ids });
  return { obs: cells.frame, var: genes.frame, obsIds: cells.ids, X };
}
