/** Random annotated data for properties: every kind of column, matrix and value, with none of some. */
import fc from "fast-check";
import {
  AnnData,
  BooleanColumn,
  CategoricalColumn,
  type Column,
  csrMatrix,
  DataFrame,
  denseMatrix,
  type Matrix,
  NumericColumn,
  type NumericDtype,
  StringColumn,
  type UnsValue,
} from "../../data/mod.ts";

/** Texts that files must keep: empty, long, outside ASCII; NUL ends a text in HDF5. */
const text = fc.oneof(
  fc.constantFrom("", "T cell", "ü", "a/b", "日本", "x".repeat(300)),
  fc.string({ maxLength: 8, unit: "grapheme" }).filter((text) => !text.includes("\0")),
);

/** Names of columns and keys: not empty, no slash, as paths have. */
const key = fc.string({
  minLength: 1,
  maxLength: 6,
  unit: fc.constantFrom(..."abcXYZ_019é ".split("")),
})
  .filter((name) => name.trim() === name && name !== "_index");

function list<T>(value: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> {
  return fc.array(value, { minLength: length, maxLength: length });
}

/** Different names of rows. */
function names(length: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(text, { minLength: length, maxLength: length });
}

const mask = (length: number) =>
  fc.option(list(fc.constantFrom(0, 1), length).map((bits) => Uint8Array.from(bits)), {
    nil: undefined,
  });

const withMask = (mask: Uint8Array | undefined) => mask === undefined ? {} : { mask };

/** Least and largest values of integer types that doubles hold. */
const INTEGERS: readonly (readonly [NumericDtype, number, number])[] = [
  ["int8", -128, 127],
  ["uint8", 0, 255],
  ["int16", -(2 ** 15), 2 ** 15 - 1],
  ["uint16", 0, 2 ** 16 - 1],
  ["int32", -(2 ** 31), 2 ** 31 - 1],
  ["uint32", 0, 2 ** 32 - 1],
  ["int64", -(2 ** 53) + 1, 2 ** 53 - 1],
  ["uint64", 0, 2 ** 53 - 1],
];

function integers(length: number): fc.Arbitrary<Column> {
  return fc.constantFrom(...INTEGERS).chain(([dtype, min, max]) =>
    fc.tuple(
      list(fc.integer({ min: Math.max(min, -(2 ** 52)), max: Math.min(max, 2 ** 52) }), length),
      mask(length),
    )
      .map(([values, mask]) =>
        new NumericColumn(Float64Array.from(values), { dtype, ...withMask(mask) })
      )
  );
}

const float32 = fc.float({ noDefaultInfinity: false });

function floats(length: number): fc.Arbitrary<Column> {
  return fc.oneof(
    list(float32, length).map((values) => new NumericColumn(Float32Array.from(values))),
    list(fc.double(), length).map((values) => new NumericColumn(Float64Array.from(values))),
  );
}

function labels(length: number): fc.Arbitrary<Column> {
  return fc.tuple(names(4), list(fc.integer({ min: -1, max: 3 }), length), fc.boolean())
    .map(([labels, codes, ordered]) =>
      new CategoricalColumn(Int32Array.from(codes), labels, { ordered })
    );
}

/** A column of any kind. */
export function column(length: number): fc.Arbitrary<Column> {
  return fc.oneof(
    integers(length),
    floats(length),
    labels(length),
    fc.tuple(list(text, length), mask(length)).map(([texts, mask]) =>
      new StringColumn(mask ? texts.map((text, k) => mask[k] ? "" : text) : texts, withMask(mask))
    ),
    fc.tuple(list(fc.boolean(), length), mask(length)).map(([bits, mask]) =>
      new BooleanColumn(mask ? bits.map((bit, k) => bit && !mask[k]) : bits, withMask(mask))
    ),
  );
}

function frame(length: number): fc.Arbitrary<DataFrame> {
  return fc.tuple(names(length), fc.dictionary(key, column(length), { maxKeys: 4 }))
    .map(([index, columns]) => new DataFrame({ index, columns }));
}

function dense(rows: number, cols: number): fc.Arbitrary<Matrix> {
  const values = list(float32, rows * cols);
  return fc.oneof(
    values.map((values) => denseMatrix(Float32Array.from(values), [rows, cols])),
    values.map((values) => denseMatrix(Float64Array.from(values), [rows, cols])),
  );
}

function sparse(rows: number, cols: number): fc.Arbitrary<Matrix> {
  return list(fc.option(float32.filter((value) => value !== 0)), rows * cols).map((cells) => {
    const indptr = new Uint32Array(rows + 1);
    const [indices, data]: [number[], number[]] = [[], []];
    cells.forEach((value, k) => {
      if (value === null) return;
      indices.push(k % cols);
      data.push(value);
      indptr[Math.floor(k / cols) + 1]!++;
    });
    for (let row = 0; row < rows; row++) indptr[row + 1]! += indptr[row]!;
    return csrMatrix({
      shape: [rows, cols],
      indptr,
      indices: Uint32Array.from(indices),
      data: Float32Array.from(data),
    });
  });
}

const matrix = (rows: number, cols: number) => fc.oneof(dense(rows, cols), sparse(rows, cols));

const matrices = (rows: number, cols: number) =>
  fc.dictionary(key, matrix(rows, cols), { maxKeys: 2 });

/** A value of uns. */
const uns: fc.Arbitrary<UnsValue> = fc.letrec<{ value: UnsValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, min: 0.25, max: 9.75 }),
    fc.boolean(),
    fc.array(text, { minLength: 1, maxLength: 3 }),
    fc.array(float32, { minLength: 1, maxLength: 3 }).map((values) => Float32Array.from(values)),
    fc.array(fc.integer(), { minLength: 1, maxLength: 3 }).map((values) => Int32Array.from(values)),
    sparse(2, 3), // a dense one is an array there
    frame(2),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
})).value;

/** Annotated data of up to six cells and four genes. */
export const cells: fc.Arbitrary<AnnData> = fc.tuple(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 4 }),
).chain(([rows, cols]) =>
  fc.record({
    obs: frame(rows),
    var: frame(cols),
    X: matrix(rows, cols),
    layers: matrices(rows, cols),
    obsm: fc.dictionary(key, fc.oneof(matrix(rows, 2), frame(rows)), { maxKeys: 2 }),
    varm: matrices(cols, 3),
    obsp: matrices(rows, rows),
    varp: matrices(cols, cols),
    uns: fc.dictionary(key, uns, { maxKeys: 3 }),
  }).map(({ obs, obsm, ...rest }) =>
    AnnData.fromParts({
      ...rest,
      obs,
      // A table in obsm has the names of the cells.
      obsm: Object.fromEntries(
        Object.entries(obsm).map(([name, value]) => [
          name,
          value instanceof DataFrame ? obs.select(obs.columns()) : value,
        ]),
      ),
    })
  )
);
