/** Two cells that were never in a file. */
import {
  AnnData,
  BooleanColumn,
  CategoricalColumn,
  csrMatrix,
  DataFrame,
  denseMatrix,
  NumericColumn,
  StringColumn,
} from "../../data/mod.ts";

const mask = Uint8Array.of(0, 1);

/** Two cells with every kind of column, matrix and value. */
export function cellsInMemory(): AnnData {
  const obs = new DataFrame({
    index: ["cell1", "zwölf"],
    indexName: "barcode",
    columns: {
      score: new NumericColumn(Float32Array.of(0.5, NaN)),
      count: new NumericColumn(Float64Array.of(2 ** 40, -1), { dtype: "int64" }),
      rank: new NumericColumn(Float64Array.of(7, NaN), { dtype: "int16", mask }),
      gap: new NumericColumn(Float64Array.of(1.5, 9), { mask }),
      kept: new BooleanColumn([true, false]),
      checked: new BooleanColumn([true, false], { mask }),
      note: new StringColumn(["", "ü"]),
      label: new CategoricalColumn(Int32Array.of(1, -1), ["B", "T"], { ordered: true }),
      cluster: new CategoricalColumn(Int32Array.of(1, 0), new NumericColumn(Float64Array.of(3, 5))),
    },
  });
  const X = csrMatrix({
    shape: [2, 3],
    indptr: Uint32Array.of(0, 0, 2),
    indices: Uint32Array.of(0, 2),
    data: Float32Array.of(1.5, -2),
  });
  return AnnData.fromParts({
    obs,
    var: new DataFrame({ index: ["TP53", "CD3E", "MS4A1"] }),
    X,
    layers: { dense: denseMatrix(Float64Array.of(1, 0, 0.1, 0, 0, 6), [2, 3]) },
    obsm: {
      X_scgpt: denseMatrix(Float32Array.of(1, 2, 3, 4), [2, 2]),
      empty: denseMatrix(new Float32Array(0), [2, 0]),
    },
    uns: {
      run: {
        seed: 42,
        rate: 0.5,
        name: "embed",
        done: true,
        tags: ["a", "b"],
        flags: [true, false],
        none: {},
      },
      grid: { shape: [1, 2], data: Float32Array.of(1, 2) },
      ids: Int32Array.of(1, 2),
      graph: X,
    },
  });
}
