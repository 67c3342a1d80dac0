import assert from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { fromParquet, toParquet } from "../../../data/interchange/parquet.ts";
import { writeArrow } from "../../../data/interchange/arrow.ts";
import { DataFrame, FormatError } from "../../../data/mod.ts";
import { TempFolder } from "../fixtures.ts";
import { pythonWith, withoutPython } from "../python.ts";
import { assertColumn, frameOf, recorded, type RecordedTable } from "../frame/recorded.ts";
import { assertSameFrame, everyKind } from "./kinds.ts";

const fixture = (name: string) => new URL(`../../fixtures/frame/${name}`, import.meta.url).pathname;

Deno.test("fromParquet() gives back what toParquet() wrote, every type as it was", async () => {
  const frame = everyKind();
  const bytes = await toParquet(frame);
  await assertSameFrame(await fromParquet(bytes), frame);
  const some = await fromParquet(new Blob([bytes]), { columns: ["label", "int64"] });
  await assertSameFrame(some, frame.select(["label", "int64"]));
  const long = new DataFrame({ index: Array.from({ length: 2500 }, (_, row) => `c${row}`) })
    .with("n", Int32Array.from({ length: 2500 }, (_, row) => row));
  await assertSameFrame(await fromParquet(await toParquet(long)), long); // several row groups
});

Deno.test("fromParquet() reads what pandas wrote, snappy and zstd", async () => {
  const { frame } = await recorded<{ frame: RecordedTable }>("pandas");
  const expected = frameOf(frame);
  for (const name of ["pandas_snappy.parquet", "pandas_zstd.parquet"]) {
    const read = await fromParquet(fixture(name));
    assert.deepEqual(read.columns(), expected.columns());
    assert.deepEqual(read.index, expected.index);
    for (const [name, { values }] of Object.entries(frame.columns)) {
      assertColumn(await read.column(name), { dtype: "any", values } as never, name);
    }
    // Parquet keeps no order of categories.
    assert.deepEqual((await read.column("cell_type", "categorical")).categories, [
      ...["B", "Mono", "NK", "T"],
    ]);
    assert.equal((await read.column("n_genes", "int16")).dtype, "int16");
  }
});

Deno.test("fromParquet() refuses columns that are missing, too large or of other types", async () => {
  const bytes = new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: "day", data: [new Date(0)], type: "TIMESTAMP" },
      { name: "id", data: [2n ** 60n], type: "INT64" },
      { name: "n", data: [1], type: "INT32" },
    ],
  }));
  await assert.rejects(fromParquet(bytes), (error) => {
    assert.ok(error instanceof FormatError && error.kind === "encoding" && error.key === "day");
    return true;
  });
  await assert.rejects(fromParquet(bytes, { columns: ["id"] }), /within 2\^53/);
  await assert.rejects(
    fromParquet(bytes, { columns: ["m"] }),
    /"m" .* there is none: .*day, id, n/,
  );
  assert.deepEqual((await fromParquet(bytes, { columns: ["n"] })).index, ["0"]);
});

const CHECK = `
import sys, pandas as pd, pyarrow as pa
parquet = pd.read_parquet(sys.argv[1])
arrow = pa.ipc.open_file(sys.argv[2]).read_all().to_pandas()
for frame in [parquet, arrow]:
    assert frame.index.name == "cell" and list(frame.index) == ["x", "é", "z"], frame.index
    for name in ["int8", "uint16", "int64", "uint64", "float32", "float64"]:
        assert str(frame[name].dtype) == name, (name, frame[name].dtype)
        masked = frame[name + "_masked"]
        assert str(masked.dtype).lower() == name and masked.isna().tolist() == [False, True, False]
    assert frame["uint32"].tolist() == [2**32 - 1, 1, 0] and frame["int64"].tolist() == [2**53 - 1, 1, -2]
    assert frame["note"].tolist() == ["a", "", 'ü, "x"\\n'] and frame["remark"].tolist() == ["😀", None, "z"]
    assert frame["kept"].tolist() == [True, False, True] and str(frame["checked"].dtype) == "boolean"
    assert frame["label"].astype(object).tolist()[::2] == ["a", "z"] and frame["cluster"].tolist() == [2, 2, 10]
assert arrow["label"].cat.ordered and list(arrow["label"].cat.categories) == ["z", "a"]
`;

const python = pythonWith("pandas, pyarrow");

Deno.test({
  name: "toParquet() and writeArrow() write what pandas reads as it was",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    await Deno.writeFile(folder.file("f.parquet"), await toParquet(everyKind()));
    await Deno.writeFile(folder.file("f.arrow"), await writeArrow(everyKind()));
    const args = ["-c", CHECK, folder.file("f.parquet"), folder.file("f.arrow")];
    const { success, stderr } = await new Deno.Command(python!, { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  },
});
